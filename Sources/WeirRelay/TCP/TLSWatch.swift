#if TLS
import WeirDissect
import WeirEngine
import WeirWire

/// What tells whether a flow speaks TLS: from its client's first bytes on, or later (STARTTLS).
///
/// A ClientHello that does not come first begins a chunk, right behind what the server has said: all protocols that turn to TLS let the
/// server agree first, but for MySQL's, whose client only says that TLS follows. The client's bytes are held while they may be a
/// ClientHello; all others go on at once.
/// Source: RFC 3207, 2595, 4217, 4511 and 6120; PostgreSQL's SSLRequest; MySQL's SSLRequest.
struct TLSWatch {
    /// What is to be done with a chunk.
    enum Verdict {
        /// It goes on.
        case passes
        /// It may be the beginning of a ClientHello: it is held.
        case holds
        /// What was held is no ClientHello: it goes on, with the chunk if that came from the client.
        case releases([UInt8])
        /// The chunk's first bytes go on, the others are a chunk of their own.
        case splits(Int)
        /// The ClientHello is whole.
        case begins(HelloGate, ClientHello)
    }

    /// The number of bytes of both directions after which no ClientHello is expected.
    private static let limit = 64 << 10

    /// Whether TLS may begin after plain bytes.
    private let followsServer: Bool
    /// The client's bytes that may be a ClientHello; nil while there are none.
    private var gate: HelloGate?
    /// Whether the client's next chunk may begin a ClientHello.
    private var mayBegin = true
    /// The bytes that went on.
    private(set) var plain = PlainBytes(upstream: 0, downstream: 0)

    /// - Parameter followsServer: whether TLS may begin after plain bytes.
    init(followsServer: Bool) { self.followsServer = followsServer }

    /// Whether bytes of the client are held.
    var isHolding: Bool { gate != nil }
    /// Whether no ClientHello is expected any more.
    var isOver: Bool {
        gate == nil && (plain.upstream + plain.downstream > Self.limit || (!mayBegin && !followsServer))
    }

    /// Looks at a chunk.
    mutating func take(_ chunk: RawSpan, _ direction: Direction) -> Verdict {
        guard direction == .upstream else {
            plain.downstream += UInt64(chunk.byteCount)
            let held = release()
            guard held.isEmpty else { return .releases(held) }
            mayBegin = followsServer
            return .passes
        }
        guard mayBegin else { return pass(chunk.byteCount) }
        if gate == nil {
            if plain.upstream == 0, plain.downstream > 0, Self.isMySQLRequest(chunk) {
                guard chunk.byteCount > Self.mySQLLength else {
                    plain.upstream += UInt64(chunk.byteCount)
                    return .passes
                }
                return .splits(Self.mySQLLength)
            }
            guard chunk.withUnsafeBytes({ $0.first }) == Self.handshake else {
                mayBegin = false
                return pass(chunk.byteCount)
            }
        }
        var gate = gate ?? HelloGate()
        switch gate.feed(chunk) {
        case .more:
            self.gate = gate
            return .holds
        case .plain:
            self.gate = gate
            return .releases(release())
        case .hello(let hello):
            self.gate = nil
            return .begins(gate, hello)
        }
    }

    private mutating func pass(_ count: Int) -> Verdict {
        mayBegin = false
        plain.upstream += UInt64(count)
        return .passes
    }

    /// Ends the holding; returns the bytes that were held.
    mutating func release() -> [UInt8] {
        guard let gate else { return [] }
        self.gate = nil
        mayBegin = false
        return gate.bytes
    }

    /// The type of a record of the handshake.
    private static let handshake: UInt8 = 22
    /// The length of MySQL's SSLRequest: a header of 4 bytes and 32 of contents.
    private static let mySQLLength = 36

    /// Whether a chunk begins with a request of MySQL's client for TLS (CLIENT_SSL), right behind which its ClientHello comes.
    private static func isMySQLRequest(_ chunk: RawSpan) -> Bool {
        chunk.withUnsafeBytes { bytes in
            guard bytes.count >= mySQLLength, bytes[..<4].elementsEqual([32, 0, 0, 1]), bytes[5] & 0x08 != 0 else {
                return false
            }
            return bytes[13..<mySQLLength].allSatisfy { $0 == 0 }
        }
    }
}
#endif
