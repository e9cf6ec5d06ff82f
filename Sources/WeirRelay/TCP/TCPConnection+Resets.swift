import WeirEngine
import WeirWire

/// Receiving and sending resets.
extension TCPConnection {
    private static let longestResetPause = Duration.milliseconds(20)

    /// Handles an error that epoll reports for a side: it has reset.
    ///
    /// Earlier bytes are still read and delivered, unless the server was not reached yet: then the flow ends at once.
    func noteError(_ direction: Direction) {
        guard let error = self[source: direction].pendingError else { return }
        abort(direction, error)
    }

    func abort(_ direction: Direction, _ error: ErrorNumber) {
        host.change(self) { feedAbort(direction, error) }
    }

    func feedAbort(_ direction: Direction, _ error: ErrorNumber) {
        guard !isClosed, self[source: direction].noteAbort() else { return }
        host.feed(self, .aborted(direction, error))
        feedLost(direction.opposite, self[source: direction].unsentAtReset)
    }

    /// Resets the sides whose reset is due and whose bytes are delivered, and polls the others again soon.
    ///
    /// It counts the bytes that the kernel could not deliver by then: those that it had taken, and those that were not
    /// read.
    func tryResets() {
        let now = host.loop.now().instant
        var later: [(direction: Direction, by: Instant)] = []
        for (direction, by) in legs.resets {
            let receiver = direction.opposite
            let waits =
                self[source: receiver].isOpen && !self[source: receiver].hasAborted && !host.loop.hasFailed
                && !self[source: receiver].isSettled(by: by, now: now)
            if waits {
                later.append((direction, by))
            } else {
                resetNow(direction)
            }
        }
        legs.resets = later
        guard !later.isEmpty else { return }
        host.loop.timers.insert(token(.flowTimer), due: now.advanced(by: legs.resetPause))
        // A slow reader may take as long as it likes after a toxic closed the flow, so poll it less often.
        let isPatient = later.allSatisfy { $0.by > now.advanced(by: .seconds(2)) }
        legs.resetPause = min(legs.resetPause * 2, Self.longestResetPause * (isPatient ? 10 : 1))
    }

    /// Resets the receiver of a direction, and informs the flow of the bytes that were lost with it.
    private func resetNow(_ direction: Direction) {
        let receiver = direction.opposite
        var unsent = 0
        if self[source: receiver].isOpen {
            feedLost(receiver, self[source: receiver].unread)
            // For a receiver that has reset, the lost bytes were counted at its reset.
            if !self[source: receiver].hasAborted { unsent = self[source: receiver].unsent }
            if direction == .downstream, answerOpening(.failed(legs.opening?.failure ?? .timedOut)) {
                // A reset could reach the client before it has read the answer.
                self[source: receiver].close()
            } else {
                self[source: receiver].reset()
            }
        }
        host.feed(self, .resetDone(direction, unsent: unsent, unread: self[source: direction].unread))
    }

    /// Informs the flow of bytes of a direction that the kernel holds and that are lost.
    func feedLost(_ direction: Direction, _ bytes: Int) {
        if bytes > 0 { host.feed(self, .lost(direction, bytes: bytes)) }
    }
}
