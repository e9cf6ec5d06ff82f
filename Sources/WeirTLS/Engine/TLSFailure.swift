/// The reason why a TLS connection failed.
package enum TLSFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The peer sent a fatal alert.
    case alertReceived(TLSAlert)
    /// The peer's certificate could not be verified: the reason, and the alert that the peer got.
    case unverified(reason: String)
    /// This end found a fault in what the peer sent, and sent an alert if it could.
    case protocolError(reason: String)
    /// The connection ended before the handshake was complete.
    case ended
    /// There is no memory.
    case noMemory

    /// The failure in a few words.
    package var description: String {
        switch self {
        case .alertReceived(let alert): "alert \(alert)"
        case .unverified(let reason): "certificate not verified: \(reason)"
        case .protocolError(let reason): reason
        case .ended: "the connection ended in the handshake"
        case .noMemory: "no memory"
        }
    }
}
