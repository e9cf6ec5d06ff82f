import CWeir
import WeirFlow
import WeirWire

/// How a side that resets is seen, and how one is reset.
extension TCPRelay {
    private static let longestResetPause = Duration.milliseconds(20)

    /// Notes that epoll has an error of a side.
    ///
    /// What the side sent before can still be read; while the dial lasts that is why the flow goes on.
    func noteError(_ connection: TCPConnection, _ direction: Direction) {
        let raw = connection[source: direction].raw
        if !connection.isConnected, weir_unread(raw) > 0 { return }
        guard let error = Socket.pendingError(raw) else { return }
        abort(connection, direction, error)
    }

    func abort(_ connection: TCPConnection, _ direction: Direction, _ error: ErrorNumber) {
        guard noteAbort(connection, direction) else { return }
        dispatch(connection, .aborted(direction, error))
    }

    /// Notes that a side has reset: what it sent before may still be read.
    ///
    /// - Returns: false where that was known.
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
    }

    /// Resets the sides that are to be reset and whose bytes are delivered, and looks at the others again soon.
    func tryResets(_ connection: TCPConnection) {
        let now = loop.now().instant
        var later: [(direction: Direction, by: Instant)] = []
        for (direction, by) in connection.resets {
            let receiver = direction.opposite
            let unsent = Int(max(0, weir_unsent(connection[source: receiver].raw)))
            guard unsent == 0 || by <= now || connection[source: receiver].hasAborted else {
                later.append((direction, by))
                continue
            }
            if connection[source: receiver].isOpen {
                Socket.resetOnClose(connection[source: receiver].raw)
                connection[source: receiver].close()
            }
            let lost = connection[source: receiver].hasFinished ? max(0, unsent - 1) : unsent
            feed(connection, .resetDone(direction, unsent: lost + unread(connection, direction)))
        }
        connection.resets = later
        guard !later.isEmpty else { return }
        loop.timers.insert(connection.token(.tcpTimer), due: now.advanced(by: connection.resetPause))
        // Who reads slowly behind a toxic's end has all the time that it wants: that is looked at less often.
        let isPatient = later.allSatisfy { $0.by > now.advanced(by: .seconds(2)) }
        connection.resetPause = min(connection.resetPause * 2, Self.longestResetPause * (isPatient ? 10 : 1))
    }

    /// Counts what a side sent before it reset and nobody will read any more: the time to deliver it is over.
    private func unread(_ connection: TCPConnection, _ direction: Direction) -> Int {
        guard connection[source: direction].hasAborted, connection[source: direction].isOpen else { return 0 }
        return Int(max(0, weir_unread(connection[source: direction].raw)))
    }
}
