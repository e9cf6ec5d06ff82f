/// The key derivation functions HMAC and HKDF over SHA-256.
enum HKDF {
    /// Returns the message authentication code of a message under a key.
    ///
    /// Source: RFC 2104 section 2.
    static func hmac(key: [UInt8], _ message: [UInt8]) -> [UInt8] {
        var padded = key.count > SHA256.blockSize ? SHA256.hash(key) : key
        padded += Array(repeating: 0, count: SHA256.blockSize - padded.count)
        let inner = SHA256.hash(padded.map { $0 ^ 0x36 } + message)
        return SHA256.hash(padded.map { $0 ^ 0x5c } + inner)
    }

    /// Returns a pseudorandom key.
    ///
    /// Source: RFC 5869 section 2.2.
    static func extract(salt: [UInt8], _ secret: [UInt8]) -> [UInt8] { hmac(key: salt, secret) }

    /// Returns `count` bytes of key material.
    ///
    /// - Precondition: `count` is at most 255 times 32.
    ///
    /// Source: RFC 5869 section 2.3.
    static func expand(_ key: [UInt8], info: [UInt8], count: Int) -> [UInt8] {
        precondition(count <= 255 * SHA256.size, "HKDF gives no more")
        var (material, last): ([UInt8], [UInt8]) = ([], [])
        var number: UInt8 = 1
        while material.count < count {
            last = hmac(key: key, last + info + [number])
            material += last
            number &+= 1
        }
        return Array(material.prefix(count))
    }

    /// Returns `count` bytes for a label of TLS 1.3, with an empty context.
    ///
    /// Source: RFC 8446 section 7.1.
    static func expandLabel(_ secret: [UInt8], _ label: StaticString, count: Int) -> [UInt8] {
        let name = Array("tls13 ".utf8) + label.withUTF8Buffer { Array($0) }
        let info = [UInt8(count >> 8), UInt8(count & 255), UInt8(name.count)] + name + [0]
        return expand(secret, info: info, count: count)
    }
}
