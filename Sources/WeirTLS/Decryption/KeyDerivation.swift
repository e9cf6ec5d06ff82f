import COpenSSL

/// A hash function of TLS.
enum Hash: Hashable, Sendable {
    case md5, sha1, sha256, sha384

    /// The length of its values in bytes.
    var length: Int {
        switch self {
        case .md5: 16
        case .sha1: 20
        case .sha256: 32
        case .sha384: 48
        }
    }

    private var raw: OpaquePointer? {
        switch self {
        case .md5: EVP_md5()
        case .sha1: EVP_sha1()
        case .sha256: EVP_sha256()
        case .sha384: EVP_sha384()
        }
    }

    /// Returns the message authentication code of bytes; all zeros if OpenSSL does not give it.
    ///
    /// Source: RFC 2104.
    func authenticate(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: length)
        HMAC(raw, key, Int32(key.count), bytes, bytes.count, &code, nil)
        return code
    }
}

/// The derivation of keys from secrets.
enum KeyDerivation {
    /// Returns a key of TLS 1.3, of at most the length of the hash function.
    ///
    /// Source: RFC 8446 section 7.1 (HKDF-Expand-Label without a context), RFC 5869 section 2.3.
    static func expand(_ secret: [UInt8], _ label: StaticString, _ count: Int, _ hash: Hash) -> [UInt8] {
        let label = "tls13 ".utf8 + label.withUTF8Buffer { Array($0) }
        let info = [0, UInt8(count), UInt8(label.count)] + label + [0, 1]
        return Array(hash.authenticate(info, key: secret).prefix(count))
    }

    /// Returns the keys of TLS 1.2 and before, which both directions share.
    ///
    /// - Parameters:
    ///   - secret: The master secret.
    ///   - seed: The server's random bytes and the client's.
    ///   - count: The number of bytes.
    ///   - hash: The hash function of the suite; before TLS 1.2 there are two fixed ones, then nil.
    /// - Returns: The keys. Source: RFC 5246 sections 5 and 6.3, RFC 2246 section 5.
    static func block(_ secret: [UInt8], _ seed: [UInt8], _ count: Int, _ hash: Hash?) -> [UInt8] {
        let seed = Array("key expansion".utf8) + seed
        if let hash { return stretch(secret, seed, count, hash) }
        let half = (secret.count + 1) / 2
        let first = stretch(Array(secret.prefix(half)), seed, count, .md5)
        let second = stretch(Array(secret.suffix(half)), seed, count, .sha1)
        return zip(first, second).map { $0 ^ $1 }
    }

    private static func stretch(_ secret: [UInt8], _ seed: [UInt8], _ count: Int, _ hash: Hash) -> [UInt8] {
        var (link, bytes) = (seed, [UInt8]())
        while bytes.count < count {
            link = hash.authenticate(link, key: secret)
            bytes += hash.authenticate(link + seed, key: secret)
        }
        return Array(bytes.prefix(count))
    }
}
