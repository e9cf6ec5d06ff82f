import WeirWire

/// The way of a flow to its server, and its opening.
extension Flow {
    mutating func dial(attempt: Int, _ now: Moment, _ actions: inout [FlowAction]) {
        // Each attempt gets an equal share of the remaining time, so that a dead first address leaves some.
        let left = now.instant.duration(to: dialDeadline)
        let share = now.instant.advanced(by: left / (attempts - attempt))
        state = .dialing(attempt: attempt, since: now.instant, until: min(share, dialDeadline))
        actions.append(.connect(attempt: attempt))
    }

    mutating func dialed(_ egress: Endpoint?, _ server: Endpoint, _ now: Moment, _ actions: inout [FlowAction]) {
        guard case .dialing = state else { return }
        path.egress = egress
        path.server = server
        if openedPath == nil, egress != nil { recordOpened(now, &actions) }
    }

    mutating func connected(_ now: Moment, _ actions: inout [FlowAction]) {
        guard case .dialing(_, let since, _) = state else { return }
        state = .open
        lastActivity = now.instant
        if openedPath == nil { recordOpened(now, &actions) }
        let isRerouted = openedPath != path
        record(.connected(dial: since.duration(to: now.instant), isRerouted: isRerouted), now, &actions)
        meetToxics(now, &actions)
        resumeReading(.upstream, &actions)
        resumeReading(.downstream, &actions)
        up.isToPump = true
    }

    mutating func connectFailed(_ error: ErrorNumber, _ now: Moment, _ actions: inout [FlowAction]) {
        guard case .dialing(let attempt, _, _) = state else { return }
        if openedPath == nil { recordOpened(now, &actions) }
        record(.refused(error), now, &actions)
        guard attempt + 1 < attempts else { return end(.refused, losing: .closed, now, &actions) }
        dial(attempt: attempt + 1, now, &actions)
    }

    mutating func recordOpened(_ now: Moment, _ actions: inout [FlowAction]) {
        openedPath = path
        record(.opened, now, &actions)
    }

    /// Makes the `opened` record if there is none yet: a flow that ends before its first dial has one too.
    mutating func openIfNeeded(_ now: Moment, _ actions: inout [FlowAction]) {
        if openedPath == nil { recordOpened(now, &actions) }
    }
}
