import WeirWire

/// The way of a flow to its server, and its opening.
extension Flow {
    /// Begins the flow: dials the server, or opens the flow at once if it is its own server.
    mutating func start(_ attempts: Int, _ turn: inout Turn) {
        guard case .waiting = state else { return }
        self.attempts = max(attempts, 1)
        guard !isEcho else {
            state = .open
            recordOpened(&turn)
            meetToxics(&turn)
            return resumeReading(.upstream, &turn)
        }
        dialDeadline = turn.now.instant.advanced(by: settings.connectTimeout)
        dial(attempt: 0, &turn)
    }

    mutating func dial(attempt: Int, _ turn: inout Turn) {
        // Each attempt gets an equal share of the remaining time, so that a dead first address leaves some.
        let left = turn.now.instant.duration(to: dialDeadline)
        let share = turn.now.instant.advanced(by: left / (attempts - attempt))
        state = .dialing(attempt: attempt, since: turn.now.instant, until: min(share, dialDeadline))
        turn.ask(.connect(attempt: attempt))
    }

    mutating func dialed(_ egress: Endpoint?, _ server: Endpoint, _ turn: inout Turn) {
        guard case .dialing = state else { return }
        path = FlowPath(client: path.client, listener: path.listener, egress: egress, server: server)
        if openedSubject == nil, egress != nil { recordOpened(&turn) }
    }

    mutating func connected(_ turn: inout Turn) {
        guard case .dialing(_, let since, _) = state else { return }
        state = .open
        lastActivity = turn.now.instant
        if openedSubject == nil { recordOpened(&turn) }
        let isRerouted = openedSubject != subject
        record(.connected(dial: since.duration(to: turn.now.instant), isRerouted: isRerouted), &turn)
        meetToxics(&turn)
        resumeReading(.upstream, &turn)
        resumeReading(.downstream, &turn)
        up.isToPump = true
    }

    mutating func connectFailed(_ error: ErrorNumber, _ turn: inout Turn) {
        guard case .dialing(let attempt, _, _) = state else { return }
        if openedSubject == nil { recordOpened(&turn) }
        record(.refused(error), &turn)
        guard attempt + 1 < attempts else { return end(.refused, losing: .closed, &turn) }
        dial(attempt: attempt + 1, &turn)
    }

    mutating func recordOpened(_ turn: inout Turn) {
        openedSubject = subject
        record(.opened, &turn)
    }

    /// Makes the `opened` record if there is none yet: a flow that ends before its first dial has one too.
    mutating func openIfNeeded(_ turn: inout Turn) {
        if openedSubject == nil { recordOpened(&turn) }
    }
}
