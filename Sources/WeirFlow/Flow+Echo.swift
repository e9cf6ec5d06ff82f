import WeirWire

/// What happens where an echo is expected (`FlowSettings.expectsEcho`).
extension Flow {
    /// Says when an echo that is waited for is late; nil where none is, or an idle time-out ends the flow instead.
    var echoDeadline: Instant? {
        guard echo.isWaiting, settings.idleTimeout == nil else { return nil }
        return lastActivity.advanced(by: settings.echoTimeout)
    }

    /// Reports what the last chunk's bytes showed, and reads upstream only while its echo has room to be waited for.
    mutating func checkEcho(_ now: Moment, _ actions: inout [FlowAction]) {
        guard settings.expectsEcho else { return }
        if let mismatch = echo.takeMismatch() { record(.mismatch(mismatch), now, &actions) }
        if echo.isFull {
            // A server that has sent its end sends no echo any more.
            guard down.isEnded, down.chain.isEmpty, down.queue.isEmpty else {
                return pauseReading(.upstream, &actions)
            }
            reportMissingEcho(now, &actions)
        }
        if up.queue.count <= settings.lowWatermark { resumeReading(.upstream, &actions) }
    }

    /// Reports what has not come back and never will, and waits for it no longer.
    mutating func reportMissingEcho(_ now: Moment, _ actions: inout [FlowAction]) {
        guard let mismatch = echo.takeMissing() else { return }
        record(.mismatch(mismatch), now, &actions)
        if up.queue.count <= settings.lowWatermark { resumeReading(.upstream, &actions) }
    }
}
