import Testing
import WeirWire

@testable import WeirDissect

@Suite("A message's line")
struct MessageLineTests {
    @Test(
        "Leaves no bare word of hex digits, which text2pcap takes for an offset",
        arguments: [
            ("HTTP/1.1 200 OK", "HTTP/1.1 (200) OK"), ("A 0 ab: >12 >ab: xyz", "(A) (0) (ab:) (>12) (>ab:) xyz"),
            ("14 bytes, 1 byte: dead", "(14 bytes), (1 byte): (dead)"), ("", ""), ("  a  ", "  (a)  "),
            ("200", "(200)"), ("dead:beef::1 12:30 -1 1.5", "dead:beef::1 12:30 -1 1.5"),
            ("200 bytess", "(200 bytes)s"),
        ]
    )
    func guarded(text: String, expected: String) {
        var output = ByteBuffer()
        output.appendGuarded(Array(text.utf8))
        #expect(output.string == expected)
    }
}
