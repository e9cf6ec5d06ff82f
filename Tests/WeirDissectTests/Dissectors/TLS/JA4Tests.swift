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

    @Test("The numbers of GREASE are sixteen")
    func allGrease() {
        let all = (UInt16.min ... .max).filter(JA4.isGrease)
        #expect(all == (0..<16).map { 0x0a0a + 0x1010 * $0 })
    }

    @Test(
        "Has the highest version that is offered, or the one of the hello",
        arguments: [
            ([], 0x0304, "13"), ([], 0x0303, "12"), ([], 0x0302, "11"), ([], 0x0301, "10"), ([], 0x0300, "s3"),
            ([], 0x0002, "s2"), ([], 0xfeff, "d1"), ([], 0xfefd, "d2"), ([], 0xfefc, "d3"), ([], 0x0305, "00"),
            ([0x0301, 0x0302], 0x0303, "11"), ([0x0302, 0x0303, 0x0301], 0x0304, "12"),
        ] as [([UInt16], UInt16, String)]
    )
    func versions(offered: [UInt16], version: UInt16, text: String) {
        var ja4 = JA4()
        ja4.version = version
        ja4.versions = offered
        #expect(ja4.text("t").hasPrefix("t\(text)i"))
    }

    @Test("Counts what is not of GREASE, up to 99")
    func counts() {
        for (ciphers, extensions, text) in [
            (0, 1, "0001"), (1, 0, "0100"), (9, 10, "0910"), (10, 9, "1009"), (98, 99, "9899"), (99, 98, "9998"),
            (100, 300, "9999"),
        ] {
            var ja4 = JA4()
            ja4.ciphers = [0x0a0a] + (0..<ciphers).map { UInt16($0) + 0x1000 }
            ja4.extensions = [0xfafa, 0xaaaa] + (0..<extensions).map { UInt16($0) + 0x2000 }
            #expect(ja4.text("t").hasPrefix("t00i\(text)00_"))
        }
    }

    @Test("Shows the first and last byte of a protocol that are letters or digits, and else half of each in hex")
    func protocols() {
        let plain = Set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
        for byte in UInt8.min ... .max {
            var ja4 = JA4()
            ja4.firstProtocol = [byte]
            let letter = String(decoding: [byte, byte], as: UTF8.self)
            #expect(ja4.text("t").dropFirst(8).prefix(2) == (plain.contains(byte) ? letter : hex([byte])))
            ja4.firstProtocol = [0x78, 0x2e, byte]
            let mixed = plain.contains(byte) ? "x\(letter.prefix(1))" : "7\(hex([byte]).suffix(1))"
            #expect(ja4.text("t").dropFirst(8).prefix(2) == mixed)
            ja4.firstProtocol = [byte, 0x2e, 0x78]
            let other = plain.contains(byte) ? "\(letter.prefix(1))x" : "\(hex([byte]).prefix(1))8"
            #expect(ja4.text("t").dropFirst(8).prefix(2) == other)
        }
    }

    @Test("The order of ciphers and extensions does not matter, that of signatures does")
    func order() {
        func parts(_ ciphers: [UInt16], _ extensions: [UInt16], _ signatures: [UInt16]) -> [Substring] {
            var ja4 = JA4()
            ja4.ciphers = ciphers
            ja4.extensions = extensions
            ja4.signatures = signatures
            return ja4.text("t").split(separator: "_")
        }
        let first = parts([1, 2], [3, 5], [7, 8])
        #expect(parts([2, 0x1a1a, 1], [5, 0x2a2a, 3], [7, 0x3a3a, 8]) == first)
        #expect(parts([1, 3], [3, 5], [7, 8])[1] != first[1])
        #expect(parts([1, 2], [3, 6], [7, 8])[2] != first[2])
        #expect(parts([1, 2], [3, 5], [8, 7])[2] != first[2])
        #expect(parts([1, 2], [3, 5], [])[2] != first[2])
        // The server's name and the protocols are counted, and not hashed.
        let more = parts([1, 2], [0, 3, 5, 0x10], [7, 8])
        #expect(more[1...] == first[1...])
        #expect(first[0] == "t00i020200" && more[0] == "t00i020400")
        #expect(parts([1], [0], [7, 8])[2] != "000000000000")
        #expect(parts([], [], [7, 8])[1...] == ["000000000000", "000000000000"])
    }
}
