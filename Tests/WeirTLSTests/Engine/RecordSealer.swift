import COpenSSL
import WeirTLS

/// A maker of encrypted records in the name of one side, for those that OpenSSL never sends by itself.
///
/// It knows the cipher suites with AES-128-GCM and SHA-256.
/// Source: RFC 8446 sections 5.2, 5.3 and 7.1 to 7.3; RFC 5246 sections 5, 6.2.3.3 and 6.3; RFC 5288 section 3.
struct RecordSealer {
    /// The ciphers that it knows, for `TLSSettings`.
    static let ciphers = "TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256"

    struct Unknown: Error {}

    private let isTLS13: Bool
    private let key: [UInt8]
    /// 12 bytes with TLS 1.3, 4 with TLS 1.2.
    private let vector: [UInt8]
    private var sequence: UInt64

    /// Takes the keys of a side whose handshake is complete and that has sent no bytes.
    init(_ side: TLSPair.Side, of pair: TLSPair) throws {
        isTLS13 = pair.client.version == .v13
        let name = isTLS13 ? (side == .client ? "CLIENT" : "SERVER") + "_TRAFFIC_SECRET_0" : "CLIENT_RANDOM"
        let words = pair.client.takeKeys().map { $0.split(separator: " ") }
        guard let line = words.first(where: { $0.first.map(String.init) == name }), line.count == 3 else {
            throw Unknown()
        }
        let secret = Self.bytes(line[2])
        if isTLS13 {
            key = Self.expand(secret, "key", 16)
            vector = Self.expand(secret, "iv", 12)
            sequence = 0
        } else {
            // The random numbers follow the record's header (5 bytes), the message's (4) and the version (2).
            guard let hello = pair.sent[.server], hello.count > 43 else { throw Unknown() }
            let seed = Array("key expansion".utf8) + hello[11..<43] + Self.bytes(line[1])
            let block = Self.keyBlock(secret, seed)
            key = Array(side == .client ? block[0..<16] : block[16..<32])
            vector = Array(side == .client ? block[32..<36] : block[36..<40])
            // The Finished message was the first one.
            sequence = 1
        }
    }

    /// Makes the next record.
    mutating func seal(_ type: UInt8, _ content: [UInt8]) -> [UInt8] {
        let number = (0..<8).reversed().map { UInt8(truncatingIfNeeded: sequence >> (8 * $0)) }
        sequence += 1
        guard isTLS13 else {
            let data = number + [type, 3, 3] + Self.length(content.count)
            let sealed = encrypt(content, nonce: vector + number, data: data)
            return [type, 3, 3] + Self.length(8 + sealed.count) + number + sealed
        }
        let nonce = zip(vector, [0, 0, 0, 0] + number).map { $0 ^ $1 }
        let header = [23, 3, 3] + Self.length(content.count + 17)
        return header + encrypt(content + [type], nonce: nonce, data: header)
    }

    /// Makes the record of an alert.
    mutating func alert(_ number: UInt8, isFatal: Bool = true) -> [UInt8] { seal(21, [isFatal ? 2 : 1, number]) }

    private static func length(_ count: Int) -> [UInt8] { [UInt8(count >> 8), UInt8(count & 0xFF)] }

    private static func bytes(_ text: Substring) -> [UInt8] {
        let digits = text.compactMap { $0.hexDigitValue }
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    /// Returns the ciphertext with its tag.
    private func encrypt(_ content: [UInt8], nonce: [UInt8], data: [UInt8]) -> [UInt8] {
        guard let context = EVP_CIPHER_CTX_new() else { return [] }
        defer { EVP_CIPHER_CTX_free(context) }
        var (sealed, tag) = ([UInt8](repeating: 0, count: content.count), [UInt8](repeating: 0, count: 16))
        var count: Int32 = 0
        guard EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), nil, key, nonce) == 1,
            EVP_EncryptUpdate(context, nil, &count, data, Int32(data.count)) == 1,
            EVP_EncryptUpdate(context, &sealed, &count, content, Int32(content.count)) == 1,
            EVP_EncryptFinal_ex(context, &tag, &count) == 1,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, &tag) == 1
        else { return [] }
        return sealed + tag
    }

    private static func hmac(_ key: [UInt8], _ data: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        HMAC(EVP_sha256(), key, Int32(key.count), data, data.count, &digest, nil)
        return digest
    }

    private static func expand(_ secret: [UInt8], _ label: String, _ count: Int) -> [UInt8] {
        let name = Array("tls13 \(label)".utf8)
        let data = length(count) + [UInt8(name.count)] + name + [0, 1]
        return Array(hmac(secret, data).prefix(count))
    }

    private static func keyBlock(_ secret: [UInt8], _ seed: [UInt8]) -> [UInt8] {
        let first = hmac(secret, seed)
        return hmac(secret, first + seed) + hmac(secret, hmac(secret, first) + seed)
    }
}
