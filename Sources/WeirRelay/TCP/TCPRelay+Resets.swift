import CWeir
import WeirEngine
import WeirWire

/// Receiving and sending resets.
extension TCPRelay {
    private static let longestResetPause = Duration.milliseconds(20)
    /// How long a reset waits, after its deadline, for the acknowledgment of bytes that were sent before.
    private static let settleTime = Duration.milliseconds(200)

    /// Handles an error that epoll reports for a side: it has reset.
    ///
    /// Earlier bytes are still read and delivered, unless the server was not reached yet: then the flow ends at once.
    func noteError(_ connection: TCPConnection, _ direction: Direction) {
        guard let error = Socket.pendingError(connection[source: direction].raw) else { return }
        abort(connection, direction, error)
    }

    func abort(_ connection: TCPConnection, _ direction: Direction, _ error: ErrorNumber) {
        change(connection) { self.feedAbort(connection, direction, error) }
    }

    /// Records that a side has reset; its earlier bytes may still be read.
    ///
    /// - Returns: false if that was known.
    private func noteAbort(_ connection: TCPConnection, _ direction: Direction) -> Bool {
        guard !connection[source: direction].hasAborted, !connection.isClosed else { return false }
        connection[source: direction].hasAborted = true
        connection[source: direction].isReadable = true
        connection[source: direction].hasMoreBehind = true
        return true
    }

    func feedAbort(_ connection: TCPConnection, _ direction: Direction, _ error: ErrorNumber) {
        guard noteAbort(connection, direction) else { return }
        feed(connection, .aborted(direction, error))
        // The other side may have read sent but unacknowledged bytes before its reset, unless they were retransmitted:
        // only the rest is certainly lost.
        let raw = connection[source: direction].raw
        let unsent = max(0, weir_unsent(raw)) - (weir_is_resending(raw) ? 0 : max(0, weir_in_flight(raw)))
        feedLost(connection, direction.opposite, withoutEnd(Int(unsent), connection, direction))
    }

    /// Subtracts the FIN from the bytes that the kernel holds for a side, because the kernel counts it as a byte.
    private func withoutEnd(_ unsent: Int, _ connection: TCPConnection, _ receiver: Direction) -> Int {
        unsent > 0 && connection[source: receiver].hasFinished ? unsent - 1 : max(0, unsent)
    }

    /// Resets the sides whose reset is due and whose bytes are delivered, and polls the others again soon.
    ///
    /// It counts the bytes that the kernel could not deliver by then: those that it had taken, and those that were not
    /// read.
    func tryResets(_ connection: TCPConnection) {
        let now = loop.now().instant
        var later: [(direction: Direction, by: Instant)] = []
        for (direction, by) in connection.resets {
            let receiver = direction.opposite
            let isDue = connection[source: receiver].isOpen && !connection[source: receiver].hasAborted
            if isDue, !isSettled(connection[source: receiver].raw, by, now) {
                later.append((direction, by))
                continue
            }
            reset(connection, direction)
        }
        connection.resets = later
        guard !later.isEmpty else { return }
        loop.timers.insert(connection.token(.tcpTimer), due: now.advanced(by: connection.resetPause))
        // A slow reader may take as long as it likes after a toxic closed the flow, so poll it less often.
        let isPatient = later.allSatisfy { $0.by > now.advanced(by: .seconds(2)) }
        connection.resetPause = min(connection.resetPause * 2, Self.longestResetPause * (isPatient ? 10 : 1))
    }

    /// Returns whether a socket can be reset now with certainty about which bytes its peer got.
    ///
    /// That is so once its peer has acknowledged everything. After the deadline it is so once the peer has acknowledged
    /// everything that was sent: the rest is never sent. An acknowledgment may be late (the peer's kernel delays it for
    /// up to 40 ms); after `settleTime` it counts as lost, and so do the bytes.
    private func isSettled(_ raw: Int32, _ by: Instant, _ now: Instant) -> Bool {
        let unsent = weir_unsent(raw)
        if unsent == 0 || loop.hasFailed { return true }
        guard now >= by else { return false }
        // If the kernel refuses to say it, what it has may be delivered until the deadline.
        if unsent < 0 { return true }
        return weir_in_flight(raw) <= 0 || now >= by.advanced(by: Self.settleTime)
    }

    /// Resets the receiver of a direction, and informs the flow of the bytes that were lost with it.
    private func reset(_ connection: TCPConnection, _ direction: Direction) {
        let receiver = direction.opposite
        var unsent = 0
        if connection[source: receiver].isOpen {
            let raw = connection[source: receiver].raw
            feedUnread(connection, receiver)
            // For a receiver that has reset, the lost bytes were counted at its reset.
            if !connection[source: receiver].hasAborted {
                unsent = withoutEnd(Int(weir_unsent(raw)), connection, receiver)
            }
            Socket.resetOnClose(raw)
            connection[source: receiver].close()
        }
        // A side that is not reset is closed after this.
        if connection.flow.isLastReset(direction) { feedUnread(connection, direction) }
        feed(connection, .resetDone(direction, unsent: unsent))
    }

    /// Informs the flow of the bytes that a side has sent and that will not be read.
    func feedUnread(_ connection: TCPConnection, _ source: Direction) {
        guard connection[source: source].isOpen else { return }
        feedLost(connection, source, Int(weir_unread(connection[source: source].raw)))
    }

    private func feedLost(_ connection: TCPConnection, _ direction: Direction, _ bytes: Int) {
        if bytes > 0 { feed(connection, .lost(direction, bytes: bytes)) }
    }
}
