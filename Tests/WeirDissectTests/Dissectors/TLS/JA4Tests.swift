import Testing

@testable import WeirDissect

@Suite("JA4")
struct JA4Tests {
    @Test("Is the fingerprint that the specification gives for its example")
    func specification() {
        var ja4 = JA4()
        ja4.version = 0x0303
        ja4.versions = [0x0304, 0x0303]
        ja4.hasServerName = true
        ja4.ciphers = [
            0x0a0a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c,
            0x009d, 0x002f, 0x0035,
        ]
        ja4.extensions = [
            0x2a2a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b,
            0xff01, 0x000b, 0x000a, 0x0015, 0x3a3a,
        ]
        ja4.signatures = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601]
        ja4.firstProtocol = Array("h2".utf8)
        #expect(ja4.text("t") == "t13d1516h2_8daaf6152771_e5627efa2ab1")
    }

    @Test("Has zeros for what is not there, and hex digits for a protocol that is no text")
    func absent() {
        var ja4 = JA4()
        ja4.version = 0x0301
        #expect(ja4.text("q") == "q10i000000_000000000000_000000000000")
        ja4.firstProtocol = [0xab, 0x63, 0xcd]
        #expect(ja4.text("t").hasPrefix("t10i0000ad"))
    }

    @Test("Tells the numbers of GREASE", arguments: [0x0a0a, 0x1a1a, 0xfafa] as [UInt16])
    func grease(number: UInt16) {
        #expect(JA4.isGrease(number))
        #expect(!JA4.isGrease(number ^ 0x0100))
    }
}
