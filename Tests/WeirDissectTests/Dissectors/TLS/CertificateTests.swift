import Testing

@testable import WeirDissect

@Suite("Certificate")
struct CertificateTests {
    private static func der(_ tag: UInt8, _ parts: [UInt8]...) -> [UInt8] {
        let contents = parts.flatMap { $0 }
        return [tag, 0x82, UInt8(contents.count >> 8), UInt8(contents.count & 255)] + contents
    }

    private static func pair(_ id: String, _ text: String, _ tag: UInt8 = 12) -> [UInt8] {
        der(0x30, der(6, bytes(id)), der(tag, Array(text.utf8)))
    }

    /// Makes a name of pairs that are each in a set of their own.
    private static func name(_ pairs: [UInt8]...) -> [UInt8] { der(0x30, pairs.flatMap { der(0x31, $0) }) }

    /// Makes the part that is signed: seven elements behind the version.
    private static func whole(_ subject: [UInt8], _ issuer: [UInt8], version: Bool = true, more: [UInt8] = [])
        -> [UInt8]
    {
        let first = version ? der(0xa0, der(2, [2])) : []
        let others = [der(2, [1]), der(0x30), issuer, der(0x30), subject, der(0x30)].flatMap { $0 }
        return der(0x30, der(0x30, first, others, more), der(0x30), der(3, [0]))
    }

    private static func read(_ whole: [UInt8], in range: Range<Int>? = nil) -> Certificate? {
        Certificate(whole.span.bytes, in: range ?? 0..<whole.count)
    }

    private static func subject(_ name: [UInt8]) -> String? { read(whole(name, Self.name()))?.subject?.text }

    @Test(
        "The parts of a name have their titles, the others their numbers",
        arguments: [
            ("550403", "CN"), ("550406", "C"), ("550407", "L"), ("550408", "ST"), ("55040a", "O"), ("55040b", "OU"),
            ("2a864886f70d010901", "emailAddress"), ("550405", "2.5.4.5"), ("550409", "2.5.4.9"),
            ("2a864886f70d010902", "1.2.840.113549.1.9.2"), ("0992268993f22c640119", "0.9.2342.19200300.100.1.25"),
            ("8837", "2.999"), ("00", "0.0"), ("27", "0.39"), ("28", "1.0"), ("4f", "1.39"), ("50", "2.0"),
            ("787f", "2.40.127"),
            ("55048100", "2.5.4.128"), ("", ""), ("5504ff", "2.5.4"),
        ]
    )
    func titles(id: String, title: String) {
        #expect(Self.subject(Self.name(Self.pair(id, "x"))) == "\(title)=x")
    }

    @Test("A name is written from its last part to its first, with all of a set")
    func order() {
        let both = Self.der(0x31, Self.pair("550403", "b") + Self.pair("55040a", "c"))
        let name = Self.der(0x30, Self.der(0x31, Self.pair("550406", "a")), both)
        #expect(Self.subject(name) == "O=c,CN=b,C=a")
        #expect(Self.subject(Self.name()) == "")
    }

    @Test("Parts that are none are left out, and there are 32 sets of 8 at most")
    func limits() {
        let three = Self.der(0x30, Self.der(6, [0x28]), Self.der(12, [0x61]), Self.der(12, [0x62]))
        let one = Self.der(0x30, Self.der(6, [0x28]))
        let other = Self.der(0x30, Self.der(5, [0x28]), Self.der(12, [0x61]))
        #expect(Self.subject(Self.name(three, one, other, Self.pair("550403", "z"))) == "CN=z,1.0=a")
        let many = (0..<33).flatMap { Self.der(0x31, Self.pair("550403", "\($0)")) }
        let text = Self.subject(Self.der(0x30, many))
        #expect(text?.hasPrefix("CN=31,CN=30,") == true && text?.hasSuffix(",CN=0") == true)
        let wide = Self.der(0x31, (0..<9).flatMap { Self.pair("550403", "\($0)") })
        #expect(Self.subject(Self.der(0x30, wide)) == "CN=7,CN=6,CN=5,CN=4,CN=3,CN=2,CN=1,CN=0")
    }

    @Test("A text has 256 bytes at most, and one in UTF-16 is read as such")
    func texts() {
        for count in [255, 256, 257] {
            let text = Self.subject(Self.name(Self.pair("550403", String(repeating: "x", count: count))))
            #expect(text?.utf8.count == 3 + min(count, 256))
        }
        func wide(_ bytes: [UInt8]) -> String? {
            Self.subject(Self.name(Self.der(0x30, Self.der(6, [0x55, 4, 3]), Self.der(0x1e, bytes))))
        }
        #expect(wide([0, 0x61, 0x6f, 0x22, 0xd8, 0x3d, 0xde, 0]) == "CN=a漢😀")
        #expect(wide([0, 0x61, 0x62]) == "CN=a" && wide([0x61]) == "CN=" && wide([]) == "CN=")
    }

    @Test("Says where its names are, with a version or without one, also within other bytes")
    func places() throws {
        let (subject, issuer) = (Self.name(Self.pair("550403", "s")), Self.name(Self.pair("550403", "i")))
        for version in [false, true] {
            let whole = Self.whole(subject, issuer, version: version)
            let certificate = try #require(Self.read([9, 9, 9] + whole + [9], in: 3..<(3 + whole.count)))
            let before = 3 + 4 + 4 + (version ? 9 : 0) + 5 + 4
            #expect(certificate.issuer?.text == "CN=i" && certificate.subject?.text == "CN=s")
            #expect(certificate.issuer?.range == (before + 4)..<(before + issuer.count))
            let next = before + issuer.count + 4
            #expect(certificate.subject?.range == (next + 4)..<(next + subject.count))
            #expect(certificate.alternativeNames.isEmpty)
        }
    }

    @Test("Needs all its parts, in sequences")
    func parts() {
        let six = [Self.der(2, [1]), Self.der(0x30), Self.name(), Self.der(0x30), Self.name(), Self.der(0x30)]
        for count in 5...6 {
            for outer in [0x30, 0x31] as [UInt8] {
                for inner in [0x30, 0x31] as [UInt8] {
                    let whole = Self.der(outer, Self.der(inner, six.prefix(count).flatMap { $0 }))
                    #expect((Self.read(whole) != nil) == (count == 6 && outer == 0x30 && inner == 0x30))
                }
            }
        }
        #expect(Self.read([]) == nil && Self.read([0x30, 0]) == nil)
    }

    @Test("Its other names are those of hosts, wherever the extension is")
    func alternativeNames() throws {
        func item(_ id: String, _ parts: [UInt8]...) -> [UInt8] {
            Self.der(0x30, Self.der(6, bytes(id)), parts.flatMap { $0 })
        }
        func names(_ text: String...) -> [UInt8] {
            Self.der(4, Self.der(0x30, text.flatMap { Self.der($0.contains("@") ? 0x81 : 0x82, Array($0.utf8)) }))
        }
        let items = [
            item("551d0f", names("no.example")),
            item("551d11", Self.der(1, [0xff]), names("a.example", "b@c", "d.example")),
            item("551d12", names("no.example")), item("551d11", Self.der(5)), item("551d11", names("e.example")),
        ].flatMap { $0 }
        let extensions = Self.der(0xa3, Self.der(0x30, items))
        let whole = Self.whole(Self.name(), Self.name(), more: Self.der(0x82, [0]) + extensions)
        let certificate = try #require(Self.read(whole))
        #expect(certificate.alternativeNames.map(\.text) == ["a.example", "d.example", "e.example"])
        for name in certificate.alternativeNames {
            #expect(String(decoding: whole[name.range], as: UTF8.self) == name.text)
        }
        let early = Self.whole(Self.name(), Self.name(), more: Self.der(0xa2, Self.der(0x30, items)))
        #expect(try #require(Self.read(early)).alternativeNames.isEmpty)
    }
}
