import COpenSSL

/// The header of a TLS record.
struct RecordHeader: Hashable, Sendable {
    var type: UInt8
    var version: UInt16
    /// The number of bytes that follow.
    var length: Int

    static let size = 5
    /// The most bytes that may follow: 2 to the 14, once encrypted (RFC 5246 section 6.2.3).
    static let mostBytes = 16_384 + 2048

    /// Reads a header; nil unless it is one.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.size, (20...24).contains(bytes[0]), bytes[1] == 3, bytes[2] <= 4 else { return nil }
        (type, version) = (bytes[0], 0x0300 | UInt16(bytes[2]))
        length = Int(bytes[3]) << 8 | Int(bytes[4])
        if length > Self.mostBytes { return nil }
    }
}

/// The decryption of one direction's records with one key.
struct RecordCipher: Sendable {
    /// What was in a record.
    struct Opened {
        /// The type of its content.
        var type: UInt8
        /// The place of its content in the room.
        var range: Range<Int>
    }

    private enum Scheme: Hashable, Sendable {
        /// The type of the content is encrypted, too. Source: RFC 8446 section 5.2.
        case new(tag: Int)
        /// Part of the nonce stands in the record. Source: RFC 5288 section 3, RFC 6655 section 3.
        case explicit(tag: Int)
        /// Source: RFC 7905 section 2.
        case chaCha20
        case cbc(CBCRecords)
    }

    private let context: CipherContext
    private let scheme: Scheme
    private let isCCM: Bool
    private let iv: [UInt8]
    /// The number of records that were opened with this key.
    private(set) var records: UInt64 = 0

    /// Makes the cipher of TLS 1.3; nil if OpenSSL has none.
    init?(_ suite: CipherSuite, secret: [UInt8]) {
        let key = KeyDerivation.expand(secret, "key", suite.keyLength, suite.hash)
        iv = KeyDerivation.expand(secret, "iv", 12, suite.hash)
        guard let tag = suite.tagLength, let context = CipherContext(suite, key, tag: tag) else { return nil }
        self.context = context
        scheme = .new(tag: tag)
        isCCM = suite.isCCM
    }

    /// Makes the cipher of TLS 1.2 and before; nil if OpenSSL has none.
    ///
    /// - Parameters:
    ///   - suite: The suite.
    ///   - block: The keys of both directions.
    ///   - isClient: Whether it is the client's direction.
    ///   - version: The version.
    ///   - macsLast: Whether what is authenticated is the encrypted record (encrypt-then-MAC).
    init?(_ suite: CipherSuite, block: KeyBlock, isClient: Bool, version: UInt16, macsLast: Bool) {
        let keys = isClient ? block.client : block.server
        guard let context = CipherContext(suite, keys.key, tag: suite.tagLength, iv: keys.iv) else { return nil }
        self.context = context
        iv = keys.iv
        isCCM = suite.isCCM
        switch suite.mode {
        case .gcm: scheme = .explicit(tag: 16)
        case .ccm(let tag): scheme = .explicit(tag: tag)
        case .chaCha20: scheme = .chaCha20
        case .cbc(let size, let mac):
            let hasIV = version >= 0x0302
            scheme = .cbc(CBCRecords(block: size, mac: mac, key: keys.mac, hasIV: hasIV, macsLast: macsLast))
        }
    }

    /// Decrypts a record.
    ///
    /// - Parameters:
    ///   - record: The record, with its header.
    ///   - header: The header.
    ///   - room: Room for as many bytes as the record has.
    /// - Returns: What is in it; nil if it does not decrypt. Then the cipher is as before, unless it is a CBC one.
    mutating func open(
        _ record: UnsafeRawBufferPointer,
        _ header: RecordHeader,
        into room: UnsafeMutableRawBufferPointer
    ) -> Opened? {
        let body = UnsafeRawBufferPointer(rebasing: record.dropFirst(RecordHeader.size))
        var opened = Opened(type: header.type, range: 0..<0)
        let range: Range<Int>?
        switch scheme {
        case .new(let tag):
            range = open(body, nonce: nonce, Array(record.prefix(RecordHeader.size)), tag, into: room)
        case .explicit(let tag):
            guard body.count >= 8 + tag else { return nil }
            let sealed = UnsafeRawBufferPointer(rebasing: body.dropFirst(8))
            let data = additional(header, sealed.count - tag)
            range = open(sealed, nonce: iv + body.prefix(8), data, tag, into: room)
        case .chaCha20:
            range = open(body, nonce: nonce, additional(header, body.count - 16), 16, into: room)
        case .cbc(let cbc):
            range = cbc.open(body, header.type, header.version, records, context, into: room)
        }
        guard let range else { return nil }
        opened.range = range
        if case .new = scheme {
            // Behind the content stand its type and zeros. Source: RFC 8446 section 5.4.
            guard let last = room[range].lastIndex(where: { $0 != 0 }) else { return nil }
            opened.type = room[last]
            opened.range = range.lowerBound..<last
        }
        records &+= 1
        return opened
    }

    /// The IV with the record's number in its last 8 bytes (RFC 8446 section 5.3).
    private var nonce: [UInt8] {
        var nonce = iv
        for index in 0..<min(8, nonce.count) {
            nonce[nonce.count - 1 - index] ^= UInt8(truncatingIfNeeded: records >> (8 * UInt64(index)))
        }
        return nonce
    }

    /// The additional data of TLS 1.2 (RFC 5246 section 6.2.3.3).
    private func additional(_ header: RecordHeader, _ count: Int) -> [UInt8] {
        records.bytes + [header.type, 3, UInt8(truncatingIfNeeded: header.version)] + UInt16(clamping: count).bytes
    }

    private func open(
        _ sealed: UnsafeRawBufferPointer,
        nonce: [UInt8],
        _ data: [UInt8],
        _ tag: Int,
        into room: UnsafeMutableRawBufferPointer
    ) -> Range<Int>? {
        let count = sealed.count - tag
        guard count >= 0, room.count >= count else { return nil }
        let isOpen = context.open(
            UnsafeRawBufferPointer(rebasing: sealed.prefix(count)),
            tag: Array(sealed.suffix(tag)),
            nonce: nonce,
            data,
            needsCount: isCCM,
            into: room
        )
        return isOpen ? 0..<count : nil
    }
}

extension CipherSuite {
    /// The length of the tag of an authenticated cipher in bytes; nil for CBC.
    var tagLength: Int? {
        switch mode {
        case .gcm, .chaCha20: 16
        case .ccm(let tag): tag
        case .cbc: nil
        }
    }

    fileprivate var isCCM: Bool {
        if case .ccm = mode { true } else { false }
    }
}

extension FixedWidthInteger {
    /// The bytes in network order.
    var bytes: [UInt8] { withUnsafeBytes(of: bigEndian) { Array($0) } }
}

/// The keys of both directions in TLS 1.2 and before.
///
/// Source: RFC 5246 section 6.3.
struct KeyBlock {
    /// The keys of one direction.
    struct Keys {
        var mac: [UInt8]
        var key: [UInt8]
        var iv: [UInt8]
    }

    var client: Keys
    var server: Keys

    /// Derives the keys.
    init(_ suite: CipherSuite, master: [UInt8], client: [UInt8], server: [UInt8], version: UInt16) {
        var (macLength, ivLength) = (0, 4)
        switch suite.mode {
        case .gcm, .ccm: break
        case .chaCha20: ivLength = 12
        case .cbc(let block, let mac): (macLength, ivLength) = (mac.length, version >= 0x0302 ? 0 : block)
        }
        let count = 2 * (macLength + suite.keyLength + ivLength)
        let hash = version >= 0x0303 ? suite.hash : nil
        var rest = KeyDerivation.block(master, server + client, count, hash)[...]
        func take(_ count: Int) -> [UInt8] {
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        let macs = (take(macLength), take(macLength))
        let keys = (take(suite.keyLength), take(suite.keyLength))
        let ivs = (take(ivLength), take(ivLength))
        self.client = Keys(mac: macs.0, key: keys.0, iv: ivs.0)
        self.server = Keys(mac: macs.1, key: keys.1, iv: ivs.1)
    }
}
