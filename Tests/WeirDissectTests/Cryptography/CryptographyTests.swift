import Testing

@testable import WeirDissect

@Suite("SHA-256, HKDF and AES-128")
struct CryptographyTests {
    @Test(
        "Hashes as FIPS 180 does",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
            (
                String(repeating: "a", count: 1_000_000),
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
            ),
        ]
    )
    func hashes(text: String, hash: String) {
        #expect(digits(SHA256.hash(Array(text.utf8))) == hash)
    }

    @Test("Derives the keys of RFC 5869, case 1")
    func derives() {
        let key = HKDF.extract(salt: Array(0...12), Array(repeating: 0x0b, count: 22))
        #expect(digits(key) == "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5")
        #expect(
            digits(HKDF.expand(key, info: Array(0xf0...0xf9), count: 42))
                == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        )
    }

    @Test("Derives the keys of RFC 9001, appendix A.1")
    func initialKeys() {
        let salt: [UInt8] = [
            0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb,
            0x7f, 0x0a,
        ]
        let secret = HKDF.extract(salt: salt, [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08])
        let client = HKDF.expandLabel(secret, "client in", count: 32)
        #expect(digits(client) == "c00cf151ca5be075ed0ebfb5c80323c42d6b7db67881289af4008f1f6c357aea")
        #expect(digits(HKDF.expandLabel(client, "quic key", count: 16)) == "1f369613dd76d5467730efcbe3b1a22d")
        #expect(digits(HKDF.expandLabel(client, "quic iv", count: 12)) == "fa044b2f42a3fd3b46fb255c")
        #expect(digits(HKDF.expandLabel(client, "quic hp", count: 16)) == "9f50449e04a0e810283a1e9933adedd2")
    }

    @Test("Hashes a message under a key as RFC 4231 does, also under a long key")
    func codes() {
        let code = HKDF.hmac(key: Array("Jefe".utf8), Array("what do ya want for nothing?".utf8))
        #expect(digits(code) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        let long = HKDF.hmac(
            key: Array(repeating: 0xaa, count: 131),
            Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8)
        )
        #expect(digits(long) == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    }

    @Test("Encrypts the block of FIPS 197, appendix C.1")
    func encrypts() throws {
        let cipher = try #require(AES128(key: Array(0...15)))
        let block = (0..<16).map { UInt8($0 * 0x11) }
        #expect(digits(cipher.encrypt(block)) == "69c4e0d86a7b0430d8cdb78070b4c55a")
        #expect(AES128(key: [1, 2, 3]) == nil)
    }

    @Test("Opens what GCM's test case 4 has sealed, and nothing that was changed")
    func opens() throws {
        let cipher = try #require(AES128GCM(key: numbers("feffe9928665731c6d6a8f9467308308")))
        let nonce = numbers("cafebabefacedbaddecaf888")
        let additional = numbers("feedfacedeadbeeffeedfacedeadbeefabaddad2")
        let plain =
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
            + "b16aedf5aa0de657ba637b39"
        var sealed = numbers(
            "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa05"
                + "1ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47"
        )
        #expect(cipher.open(sealed[...], nonce: nonce, additional: additional[...]).map(digits) == plain)
        sealed[3] ^= 1
        #expect(cipher.open(sealed[...], nonce: nonce, additional: additional[...]) == nil)
        #expect(cipher.open([], nonce: nonce, additional: []) == nil)
    }

    private func digits(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private func numbers(_ text: String) -> [UInt8] {
        let digits = text.utf8.compactMap { UInt8(String(Unicode.Scalar($0)), radix: 16) }
        return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}
