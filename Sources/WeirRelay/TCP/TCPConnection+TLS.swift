#if TLS
import WeirEngine
import WeirTLS
import WeirWire

/// The ends of flows with TLS.
extension TCPConnection {
    /// Records what is on the wire of the server's leg from now on, if that of the client's leg is recorded.
    func recordServer() { legs.server.wire = legs.wire?.server() }

    /// Half-closes a direction's receiver as its source ended; returns false if no TLS is concerned.
    func finishAsItEnded(_ direction: Direction) -> Bool {
        let source = self[source: flow.isEcho ? .upstream : direction].secured
        guard source != nil || self[source: direction.opposite].secured != nil else { return false }
        let (says, closes): (Bool, Bool) =
            switch source?.ending {
            case .closeNotify: (true, self[source: direction].hasSeenFIN)
            case .truncated: (false, true)
            case nil: (source?.failure == nil, true)
            }
        finish(direction, says: says, closes: closes)
        return true
    }

    private func finish(_ direction: Direction, says: Bool, closes: Bool) {
        guard let receiver = self[source: direction.opposite].secured else {
            return self[source: direction.opposite].finish()
        }
        receiver.finish(&self[source: direction.opposite], says: says, closes: closes)
    }

    /// Whether a side's alert is its answer to the other side's stream, which was cut: then it is this side's end, too.
    func answersCut(_ direction: Direction, _ failure: TLSFailure) -> Bool {
        guard case .alertReceived = failure else { return false }
        return self[source: direction.opposite].secured?.ending == .truncated
    }

    /// Passes on the FIN that follows a side's close_notify.
    func passFIN(_ direction: Direction) {
        guard self[source: direction].secured?.ending == .closeNotify,
            let receiver = self[source: direction.opposite].secured,
            receiver.hasFinished, self[source: direction.opposite].isOpen
        else { return }
        receiver.finish(&self[source: direction.opposite], says: false, closes: true)
    }

    /// Says the end to the sides that have not been told, before they are closed.
    ///
    /// Only what has ended by itself is said to have ended: a stream that was cut, by whomever, is a FIN alone, and on a plain side a
    /// reset if TLS has failed on the other one.
    func sayEnds(_ reason: CloseReason) {
        switch reason {
        case .finished: break
        case .tls:
            // In the handshakes nothing was said that could be cut.
            guard let securing = legs.securing else { return resetPlainSides() }
            if case .client = securing.phase { legs.server.secured = securing.server }
        case .idle, .evicted, .requested, .toxic, .clientReset, .serverReset, .refused, .shutdown: return
        }
        for direction in Direction.allCases {
            guard self[source: direction.opposite].isOpen, let receiver = self[source: direction.opposite].secured,
                !receiver.hasFinished,
                self[source: flow.isEcho ? .upstream : direction].secured?.ending != .truncated
            else { continue }
            receiver.finish(&self[source: direction.opposite], says: true, closes: true)
        }
    }

    private func resetPlainSides() {
        for direction in Direction.allCases {
            guard self[source: direction].secured?.failure != nil, self[source: direction.opposite].isOpen,
                self[source: direction.opposite].secured == nil
            else { continue }
            self[source: direction.opposite].reset()
        }
    }
}
#endif
