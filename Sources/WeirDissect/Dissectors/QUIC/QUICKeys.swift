/// The keys of QUIC Initial packets, which derive from the client's connection ID in the packet itself.
///
/// Source: RFC 9001 section 5, RFC 9369 section 3.3.
struct QUICKeys: Sendable {
    private let cipher: AES128GCM
    private let vector: [UInt8]
    private let header: AES128

    /// Derives the keys of one side.
    ///
    /// - Parameters:
    ///   - id: The destination connection ID of the client's first Initial.
    ///   - isClient: Whether the client sent the packets that they open.
    ///   - version: The version; the result is nil for one whose salt is not known.
    init?(_ id: [UInt8], isClient: Bool, version: UInt32) {
        guard let salt = Self.salt(version) else { return nil }
        let secret = HKDF.extract(salt: salt, id)
        let side = HKDF.expandLabel(secret, isClient ? "client in" : "server in", count: 32)
        let isSecond = version == QUICDissector.version2
        guard let cipher = AES128GCM(key: HKDF.expandLabel(side, isSecond ? "quicv2 key" : "quic key", count: 16)),
            let header = AES128(key: HKDF.expandLabel(side, isSecond ? "quicv2 hp" : "quic hp", count: 16))
        else { return nil }
        self.cipher = cipher
        self.header = header
        vector = HKDF.expandLabel(side, isSecond ? "quicv2 iv" : "quic iv", count: 12)
    }

    /// Returns a whole packet's payload and its offset, given that of the packet number; nil if other keys are needed.
    func open(_ packet: [UInt8], numberAt offset: Int) -> (payload: [UInt8], start: Int)? {
        guard offset + 20 <= packet.count else { return nil }
        var packet = packet
        let mask = header.encrypt(Array(packet[(offset + 4)..<(offset + 20)]))
        packet[0] ^= mask[0] & 0x0f
        let count = Int(packet[0] & 3) + 1
        var nonce = vector
        for index in 0..<count {
            packet[offset + index] ^= mask[index + 1]
            nonce[12 - count + index] ^= packet[offset + index]
        }
        let start = offset + count
        guard let payload = cipher.open(packet[start...], nonce: nonce, additional: packet[..<start]) else {
            return nil
        }
        return (payload, start)
    }

    private static func salt(_ version: UInt32) -> [UInt8]? {
        switch version {
        case 1:
            [
                0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc,
                0xbb, 0x7f, 0x0a,
            ]
        case QUICDissector.version2:
            [
                0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9,
                0xbd, 0x2e, 0xd9,
            ]
        case 0xff00_001d...0xff00_0020:
            [
                0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43,
                0x90, 0xa8, 0x99,
            ]
        case 0xff00_0017...0xff00_001c:
            [
                0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe,
                0xf9, 0xf5, 0x02,
            ]
        default: nil
        }
    }
}
