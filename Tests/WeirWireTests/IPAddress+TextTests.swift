import Support
import Testing
import WeirWire

@Suite("IP address as text")
struct IPAddressTextTests {
    @Test(
        "Prints the canonical form of RFC 5952",
        arguments: [
            ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("1.20.103.0", "1.20.103.0"),
            ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),  // RFC 5952 section 1: the first of equal runs
            ("2001:0db8::0001", "2001:db8::1"),  // section 4.1: no leading zeros
            ("2001:db8:0:0:0:0:2:1", "2001:db8::2:1"),  // section 4.2.1: as short as possible
            ("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),  // section 4.2.2: not one group alone
            ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),  // section 4.2.3: the longest run
            ("2001:DB8::AbCd", "2001:db8::abcd"),  // section 4.3: lower case
            ("::ffff:192.0.2.1", "::ffff:192.0.2.1"), ("::FFFF:c000:201", "::ffff:192.0.2.1"),  // section 5
            ("0:0:0:0:0:ffff:1.2.3.4", "::ffff:1.2.3.4"), ("::1.2.3.4", "::102:304"), ("::0.0.0.0", "::"),
            ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
            ("0:0:0:0:0:0:0:0", "::"), ("0000:0000:0000:0000:0000:0000:0000:0001", "::1"), ("::", "::"), ("1::", "1::"),
            ("1:0:0:0:0:0:0:0", "1::"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
            ("1:2:3::5:6:7:8", "1:2:3:0:5:6:7:8"), ("0:0:3:4:5:6:0:0", "::3:4:5:6:0:0"),
            ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("10:100:1000:fff:ff:f:0:1", "10:100:1000:fff:ff:f:0:1"),
            ("fe80::1%2", "fe80::1%2"), ("::%4294967295", "::%4294967295"), ("::ffff:1.2.3.4%10", "::ffff:1.2.3.4%10"),
        ]
    )
    func canonical(text: String, expected: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == expected)
        #expect(rendered { address.write(to: &$0) } == expected)
        #expect(IPAddress(expected) == address)
    }

    @Test(
        "Parses to the numbers meant",
        arguments: [
            ("1.2.3.4", IPAddress(v4: 0x0102_0304)),
            ("1:2:3:4:5:6:7:8", IPAddress(v6: 0x0001_0002_0003_0004, low: 0x0005_0006_0007_0008)),
            ("a::b", IPAddress(v6: 0x000a_0000_0000_0000, low: 0xb)),
            ("::1.2.3.4%5", IPAddress(v6: 0, low: 0x0102_0304, scope: 5)),
            ("1:2::", IPAddress(v6: 0x0001_0002_0000_0000, low: 0)),
        ]
    )
    func numbers(text: String, expected: IPAddress) {
        #expect(IPAddress(text) == expected)
        #expect(IPAddress(utf8: text.utf8.span) == expected)
        #expect(IPAddress("<\(text)>".dropFirst().dropLast()) == expected)
    }

    @Test(
        "Refuses anything else",
        arguments: [
            "", " ", "1", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "1..2.3", "1.2.3.4.", "256.0.0.1", "1.2.3.256",
            "1.2.3.1000", "01.2.3.4", "1.2.3.00", "1.2.3.4 ", " 1.2.3.4", "+1.2.3.4", "1.-2.3.4", "0x1.2.3.4",
            "1.2.3.a",
            "1.2.3.4%1", "1.2.3.4\0", "１.2.3.4", "1,2,3,4", "127.1", "2130706433", "localhost",
            ":", ":::", "1", "::1::", "1::2::3", ":1", "1:", "1:2", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:",
            "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8:", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1:2:3:4::5:6:7:8",
            "12345::", "::00000", "g::", "::G", "::-1", "::+1", "::0x1", " ::1", "::1 ", "[::1]", "::1/64", "1:::2",
            "::1.2.3", "::1.2.3.4.5", "::1.2.3.256", "::01.2.3.4", "1.2.3.4::", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4",
            "1:2:3:4:5:1.2.3.4", "1:2:3:4:5:6::1.2.3.4", "::a.2.3.4", "::.1.2.3", ":1.2.3.4",
            "::1%", "::1%0", "::1%01", "::1%-1", "::1%+1", "::1%4294967296", "::1%99999999999", "::1%eth0", "::1%1%1",
            "::1%1 ", "::1%1:2", "%1", ":%1", "%::1", "fe80::1%25eth0",
        ]
    )
    func refuses(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test("Gets each address back from its text")
    func roundTrip() {
        var generator = SeededGenerator(seed: 20_261_122)
        for _ in 0..<20_000 {
            let address = IPAddress.random(using: &generator)
            #expect(IPAddress(address.description) == address)
        }
    }

    @Test("Compresses the first longest run, for every pattern of zero groups")
    func everyZeroPattern() throws {
        for pattern in 0..<256 {
            let groups = (0..<8).map { pattern >> $0 & 1 == 0 ? 0 : $0 + 1 }
            let address = try #require(IPAddress(groups.map(String.init).joined(separator: ":")))
            var expected = groups.map(String.init).joined(separator: ":")
            // An independent way: try the runs from the longest down, each from the left.
            search: for length in stride(from: 8, to: 1, by: -1) {
                for start in 0...(8 - length) where groups[start..<(start + length)].allSatisfy({ $0 == 0 }) {
                    let head = groups[..<start].map(String.init).joined(separator: ":")
                    let tail = groups[(start + length)...].map(String.init).joined(separator: ":")
                    expected = head + "::" + tail
                    break search
                }
            }
            #expect(address.description == expected)
            #expect(IPAddress(expected) == address)
        }
    }

    @Test("Refuses or takes random text without a trap, and what it takes is stable")
    func randomText() {
        var generator = SeededGenerator(seed: 7)
        let alphabet = Array("0123456789abcdefF::::....%%[]g ")
        var taken = 0
        for _ in 0..<50_000 {
            let count = Int.random(in: 0...12, using: &generator)
            let text = String((0..<count).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] })
            guard let address = IPAddress(text) else { continue }
            taken += 1
            #expect(IPAddress(address.description) == address)
        }
        #expect(taken > 0)
    }
}
