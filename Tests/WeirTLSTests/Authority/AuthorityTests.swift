import Testing
import WeirTLS

@Suite("Certificates of an authority")
struct AuthorityTests {
    private static let now = 1_800_000_000
    private static let day = 86_400

    private static func authority(_ names: [NameConstraint] = []) throws -> Authority {
        try Authority(on: "host", onlyFor: names, at: now)
    }

    @Test("An authority is named after its machine and a mark of its own, and is valid for ten years")
    func own() throws {
        let (one, other) = (try Self.authority().certificate, try Self.authority().certificate)
        let subject = one.certificate.subject
        #expect(subject.hasPrefix("CN=Weir CA host ") && subject.utf8.count == "CN=Weir CA host 01234567".utf8.count)
        #expect(subject == one.certificate.issuer && subject != other.certificate.subject)
        #expect(one.certificate.isAuthority && one.key.matches(one.certificate) && !one.key.matches(other.certificate))
        #expect(one.certificate.validity == (Self.now - 2 * Self.day)...(Self.now + 3650 * Self.day))
        #expect(one.certificate.fingerprint.count == 32 && one.certificate.fingerprint != other.certificate.fingerprint)
        #expect(one.certificate.constraints.isEmpty)
        // A long name of a machine is cut: a common name has 64 bytes at most.
        let long = try Authority(on: String(repeating: "h", count: 200), at: Self.now)
        #expect(long.certificate.certificate.subject.utf8.count == "CN=Weir CA  01234567".utf8.count + 40)
    }

    @Test("Names to which the authority is not constrained are left out of a leaf, if their kind is constrained")
    func constrained() throws {
        let key = try PrivateKey(.p256)
        let names: [AlternativeName] = [
            .host("a.test"), .host("*.b.test"), .host("test"), .host("atest"), .host("localhost"),
            .address([127, 0, 0, 1]),
            .address([10, 9, 8, 7]),
        ]
        func kept(_ constraints: [NameConstraint]) throws -> [AlternativeName] {
            let authority = try Self.authority(constraints)
            // As it is read from its file.
            let again = try Authority(authority.certificate, of: "test")
            let leaf = try again.leaf(for: names, key: key, at: Self.now)
            #expect(
                try authority.leaf(for: names, key: key, at: Self.now).certificate.alternativeNames
                    == leaf.certificate.alternativeNames
            )
            return leaf.certificate.alternativeNames
        }
        let hosts: [AlternativeName] = [.host("a.test"), .host("*.b.test"), .host("test")]
        #expect(try kept([]) == names)
        #expect(try kept([.host("test")]) == hosts + names.suffix(2))
        let network = NameConstraint.network(address: [10, 0, 0, 0], mask: [255, 0, 0, 0])
        #expect(try kept([network]) == names.prefix(5) + names.suffix(1))
        #expect(try kept([.host("test"), network]) == hosts + names.suffix(1))
    }

    @Test("A leaf is signed by the authority, has all names, and lives 30 days, but not longer than the authority")
    func leaf() throws {
        let authority = try Self.authority()
        let names: [AlternativeName] = [
            .host("example.com"), .host("*.example.com"), .address([192, 0, 2, 1]),
            .address([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        ]
        let key = try PrivateKey(.p256)
        let leaf = try authority.leaf(for: names, key: key, at: Self.now)
        #expect(leaf.certificate.alternativeNames == names && leaf.certificate.subject == "CN=example.com")
        #expect(leaf.certificate.issuer == authority.certificate.certificate.subject)
        #expect(!leaf.certificate.isAuthority && key.matches(leaf.certificate) && leaf.chain.isEmpty)
        #expect(leaf.certificate.validity == (Self.now - 2 * Self.day)...(Self.now + 30 * Self.day))
        let late = Self.now + 3640 * Self.day
        let last = try authority.leaf(for: names, key: key, at: late).certificate.validity
        #expect(last == (late - 2 * Self.day)...(Self.now + 3650 * Self.day))
        // The same names twice are two certificates with serial numbers of their own, of 20 bytes each, and positive.
        let other = try authority.leaf(for: names, key: key, at: Self.now)
        let numbers = try [leaf, other, authority.certificate].map { try Self.serial($0.certificate) }
        #expect(Set(numbers).count == 3 && numbers.allSatisfy { $0.count == 20 && $0[0] & 0x80 == 0 && $0[0] >= 0x40 })
    }

    /// Returns the bytes of a serial number: it follows the version, which is 3 (2 in an INTEGER in [0]).
    private static func serial(_ certificate: X509Certificate) throws -> [UInt8] {
        let (der, version) = (certificate.der, [0xa0, 3, 2, 1, 2, 2] as [UInt8])
        let place = try #require(der.indices.first { der[$0...].starts(with: version) })
        return Array(der[(place + 7)...].prefix(Int(der[place + 6])))
    }

    @Test("Names that are none are left out, so that no name brings another one with it")
    func oddNames() throws {
        let long = String(repeating: "a", count: 63) + "." + String(repeating: "b", count: 63)
        let odd = [
            "a,DNS:b", "a b", "", ".a", "a.", "a..b", "a\0b", "*", "*x.org", "a.*.org", "é.org", "A.org",
            "127.0.0.1", "a.1", "7", String(repeating: "a", count: 64),
            (0..<64).map { _ in "abcd" }.joined(separator: "."), "-,email:x",
        ]
        let names = odd.map { AlternativeName.host($0) } + [.host(long), .host("_a-1.org"), .address([1, 2, 3])]
        let leaf = try Self.authority().leaf(for: names, key: PrivateKey(.p256), at: Self.now).certificate
        #expect(leaf.alternativeNames == [.host(long), .host("_a-1.org")])
        // The first one is too long for a common name.
        #expect(leaf.subject == "CN=_a-1.org")
        let none = try Self.authority().leaf(for: [], key: PrivateKey(.p256), at: Self.now).certificate
        #expect(none.alternativeNames.isEmpty && none.subject == "CN=weir")
    }

    @Test("Constraints are in the certificate")
    func constraints() throws {
        let names: [NameConstraint] = [
            .host("test"), .host("localhost"), .network(address: [10, 0, 0, 0], mask: [255, 0, 0, 0]),
        ]
        let certificate = try Self.authority(names).certificate.certificate
        #expect(certificate.constraints == ["test", "localhost", "10.0.0.0/255.0.0.0"])
    }

    @Test("Keys and certificates are the same after PEM, and what is wrong there is told")
    func pem() throws {
        let authority = try Self.authority()
        let (certificate, key) = (authority.certificate.certificate, authority.certificate.key)
        let both = certificate.pem + key.pem
        let read = try TLSCertificate(pem: both, of: "file")
        #expect(read.certificate.der == certificate.der && read.key.pem == key.pem && read.chain.isEmpty)
        #expect(try TLSCertificate(pem: key.pem + certificate.pem + certificate.pem, of: "f").chain.count == 1)
        let other = try Self.authority().certificate.key
        for (text, problem) in [
            ([], "'file' has no certificate in PEM"), (key.pem, "'file' has no certificate in PEM"),
            (certificate.pem, "'file' has no private key in PEM, or one with a passphrase"),
            (certificate.pem + other.pem, "the key in 'file' is not that of its first certificate"),
            (Array(both.prefix(300)), "'file' has no certificate in PEM"),
        ] {
            #expect(throws: TLSSetupError(problem)) { try TLSCertificate(pem: text, of: "file") }
        }
        let leaf = try authority.leaf(for: [.host("a")], key: PrivateKey(.p256), at: Self.now)
        #expect(throws: TLSSetupError("the certificate in 'x' is not that of an authority (CA:TRUE)")) {
            try Authority(leaf, of: "x")
        }
    }
}
