import Testing

@testable import WeirCapture

@Suite("Capture errors")
struct CaptureErrorTests {
    @Test(
        "An error says what failed, and where",
        arguments: [
            (CaptureError.noPermission(interface: "lo", words: "no right"), "cannot capture on lo: no right"),
            (
                .noInterface("x", available: ["lo", "any"]),
                "there is no interface 'x' to capture on; there are: lo, any"
            ),
            (
                .badFilter("tcp prot", words: "syntax error"),
                "'tcp prot' is no filter: syntax error; see pcap-filter(7)"
            ),
            (.interfaceGone("va", words: "it went"), "the capture on va has ended: it went"),
            (.failed(attempt: "open x", words: "because"), "cannot open x: because"),
            (
                .notBuilt,
                "this weir was built without libpcap; install libpcap-dev and build it without --disable-default-traits"
            ),
        ]
    )
    func text(error: CaptureError, text: String) {
        #expect(error.description == text)
    }
}
