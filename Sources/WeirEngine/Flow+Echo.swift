import WeirWire

/// The checks of a flow whose echo is expected (`FlowSettings.expectsEcho`).
extension Flow {
    /// The time at which an awaited echo is late; nil if there is none, or if an idle time-out ends the flow instead.
    var echoDeadline: Instant? {
        guard echo.isWaiting, settings.idleTimeout == nil else { return nil }
        return lastActivity.advanced(by: settings.echoTimeout)
    }

    /// Reports a mismatch in the last chunk, and pauses upstream reading while too many bytes wait for their echo.
    mutating func checkEcho(_ turn: inout Turn) {
        guard settings.expectsEcho else { return }
        if let mismatch = echo.takeMismatch() { record(.mismatch(mismatch), &turn) }
        if echo.isFull {
            // After its end, a server sends no echo any more.
            guard down.isEnded, down.chain.isEmpty, down.queue.isEmpty else {
                return pauseReading(.upstream, &turn)
            }
            reportMissingEcho(&turn)
        }
        if up.queue.count <= settings.lowWatermark { resumeReading(.upstream, &turn) }
    }

    /// Reports what has not come back and never will, and stops waiting for it.
    mutating func reportMissingEcho(_ turn: inout Turn) {
        guard let mismatch = echo.takeMissing() else { return }
        record(.mismatch(mismatch), &turn)
        if up.queue.count <= settings.lowWatermark { resumeReading(.upstream, &turn) }
    }
}
