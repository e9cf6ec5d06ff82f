import Testing

@testable import WeirTLS

/// Known answers, of RFC 8448 section 3 (a simple handshake of 1 round trip).
@Suite("Keys of TLS 1.3, and a record")
struct KeyDerivationTests {
    private static let server = bytes("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38")
    private static let client = bytes("9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5")

    private static func bytes(_ digits: String) -> [UInt8] {
        let digits = Array(digits.utf8).compactMap { UInt8(String(UnicodeScalar($0)), radix: 16) }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    @Test("A key and an IV come of a secret")
    func keys() {
        let key = KeyDerivation.expand(Self.server, "key", 16, .sha256)
        #expect(key.hexadecimal == "3fce516009c21727d0f2e4e86ee403bc")
        #expect(KeyDerivation.expand(Self.server, "iv", 12, .sha256).hexadecimal == "5d313eb2671276ee13000b30")
    }

    @Test("The client's first record of content decrypts, and does not if any byte is another one")
    func record() throws {
        let sealed = Self.bytes(
            """
            1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b62974e1f5a62\
            92a2977014bd1e3deae63aeebb21694915e4
            """
        )
        #expect(Self.opened(sealed)?.elementsEqual(0..<50) == true)
        for index in sealed.indices {
            var broken = sealed
            broken[index] ^= 1
            #expect(Self.opened(broken) == nil, "byte \(index)")
        }
    }

    private static func opened(_ record: [UInt8]) -> [UInt8]? {
        guard let suite = CipherSuite(0x1301), var cipher = RecordCipher(suite, secret: client) else { return nil }
        return record.withUnsafeBytes { bytes in
            guard let header = RecordHeader(bytes), header.length + RecordHeader.size == bytes.count else { return nil }
            return withUnsafeTemporaryAllocation(byteCount: bytes.count, alignment: 16) { room in
                guard let opened = cipher.open(bytes, header, into: room), opened.type == 23 else { return nil }
                return Array(room[opened.range])
            }
        }
    }
}
