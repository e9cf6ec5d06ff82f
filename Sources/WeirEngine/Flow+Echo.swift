import WeirWire

/// The checks of a flow whose echo is expected (`FlowSettings.expectsEcho`).
extension Flow {
    /// The time at which an awaited echo is late; nil if there is none, or if an idle time-out ends the flow instead.
    var echoDeadline: Instant? {
        guard echo.isWaiting, settings.idleTimeout == nil else { return nil }
        return lastActivity.advanced(by: settings.echoTimeout)
    }

    /// Reports a mismatch in the last chunk, and pauses upstream reading while too many bytes wait for their echo.
    mutating func checkEcho(_ now: Moment, _ actions: inout [FlowAction]) {
        guard settings.expectsEcho else { return }
        if let mismatch = echo.takeMismatch() { record(.mismatch(mismatch), now, &actions) }
        if echo.isFull {
            // After its end, a server sends no echo any more.
            guard down.isEnded, down.chain.isEmpty, down.queue.isEmpty else {
                return pauseReading(.upstream, &actions)
            }
            reportMissingEcho(now, &actions)
        }
        if up.queue.count <= settings.lowWatermark { resumeReading(.upstream, &actions) }
    }

    /// Reports what has not come back and never will, and stops waiting for it.
    mutating func reportMissingEcho(_ now: Moment, _ actions: inout [FlowAction]) {
        guard let mismatch = echo.takeMissing() else { return }
        record(.mismatch(mismatch), now, &actions)
        if up.queue.count <= settings.lowWatermark { resumeReading(.upstream, &actions) }
    }
}
