import COpenSSL

/// A cipher suite, as far as it says how records are encrypted.
///
/// Source: the registry "TLS Cipher Suites" of IANA.
struct CipherSuite: Hashable, Sendable {
    /// The way in which records are encrypted.
    enum Mode: Hashable, Sendable {
        case gcm
        /// With a tag of 16 bytes, or of 8.
        case ccm(tag: Int)
        case chaCha20
        /// AES or 3DES, and a MAC of its own.
        case cbc(block: Int, mac: Hash)
    }

    var mode: Mode
    /// The length of the key in bytes.
    var keyLength: Int
    /// The hash function by which keys are derived in TLS 1.2 and 1.3.
    var hash: Hash

    /// The suite with a number; nil if its records cannot be decrypted here.
    init?(_ number: UInt16) {
        guard let suite = Self.all[number] else { return nil }
        self = suite
    }

    private init(_ mode: Mode, _ keyLength: Int, _ hash: Hash = .sha256) {
        (self.mode, self.keyLength, self.hash) = (mode, keyLength, hash)
    }

    /// OpenSSL's cipher.
    var cipher: OpaquePointer? {
        let isLong = keyLength == 32
        return switch mode {
        case .gcm: isLong ? EVP_aes_256_gcm() : EVP_aes_128_gcm()
        case .ccm: isLong ? EVP_aes_256_ccm() : EVP_aes_128_ccm()
        case .chaCha20: EVP_chacha20_poly1305()
        case .cbc(block: 8, _): EVP_des_ede3_cbc()
        case .cbc: isLong ? EVP_aes_256_cbc() : EVP_aes_128_cbc()
        }
    }

    private static let all: [UInt16: CipherSuite] = {
        var all: [UInt16: CipherSuite] = [:]
        for (suite, numbers) in groups {
            for number in numbers { all[number] = suite }
        }
        return all
    }()

    /// The suites with the numbers that have them, for each way to agree on keys: RSA, DH, DHE, ECDH, ECDHE, anonymous, PSK.
    private static let groups: [(CipherSuite, [UInt16])] = [
        (
            CipherSuite(.gcm, 16),
            [
                0x1301, 0x009C, 0x009E, 0x00A0, 0x00A2, 0x00A4, 0x00A6, 0x00A8, 0x00AA, 0x00AC, 0xC02B, 0xC02D, 0xC02F,
                0xC031, 0xD001,
            ]
        ),
        (
            CipherSuite(.gcm, 32, .sha384),
            [
                0x1302, 0x009D, 0x009F, 0x00A1, 0x00A3, 0x00A5, 0x00A7, 0x00A9, 0x00AB, 0x00AD, 0xC02C, 0xC02E, 0xC030,
                0xC032, 0xD002,
            ]
        ),
        (CipherSuite(.chaCha20, 32), [0x1303, 0xCCA8, 0xCCA9, 0xCCAA, 0xCCAB, 0xCCAC, 0xCCAD, 0xCCAE]),
        (CipherSuite(.ccm(tag: 16), 16), [0x1304, 0xC09C, 0xC09E, 0xC0A4, 0xC0A6, 0xC0AC]),
        (CipherSuite(.ccm(tag: 16), 32), [0xC09D, 0xC09F, 0xC0A5, 0xC0A7, 0xC0AD]),
        (CipherSuite(.ccm(tag: 8), 16), [0x1305, 0xC0A0, 0xC0A2, 0xC0A8, 0xC0AA, 0xC0AE]),
        (CipherSuite(.ccm(tag: 8), 32), [0xC0A1, 0xC0A3, 0xC0A9, 0xC0AB, 0xC0AF]),
        (
            CipherSuite(.cbc(block: 16, mac: .sha1), 16),
            [
                0x002F, 0x0030, 0x0031, 0x0032, 0x0033, 0x0034, 0x008C, 0x0090, 0x0094, 0xC004, 0xC009, 0xC00E, 0xC013,
                0xC018, 0xC035,
            ]
        ),
        (
            CipherSuite(.cbc(block: 16, mac: .sha1), 32),
            [
                0x0035, 0x0036, 0x0037, 0x0038, 0x0039, 0x003A, 0x008D, 0x0091, 0x0095, 0xC005, 0xC00A, 0xC00F, 0xC014,
                0xC019, 0xC036,
            ]
        ),
        (
            CipherSuite(.cbc(block: 16, mac: .sha256), 16),
            [
                0x003C, 0x003E, 0x003F, 0x0040, 0x0067, 0x006C, 0x00AE, 0x00B2, 0x00B6, 0xC023, 0xC025, 0xC027, 0xC029,
                0xC037,
            ]
        ),
        (CipherSuite(.cbc(block: 16, mac: .sha256), 32), [0x003D, 0x0068, 0x0069, 0x006A, 0x006B, 0x006D]),
        (
            CipherSuite(.cbc(block: 16, mac: .sha384), 32, .sha384),
            [0x00AF, 0x00B3, 0x00B7, 0xC024, 0xC026, 0xC028, 0xC02A, 0xC038]
        ),
        (
            CipherSuite(.cbc(block: 8, mac: .sha1), 24),
            [
                0x000A, 0x000D, 0x0010, 0x0013, 0x0016, 0x001B, 0x008B, 0x008F, 0x0093, 0xC003, 0xC008, 0xC00D, 0xC012,
                0xC017,
            ]
        ),
    ]
}
