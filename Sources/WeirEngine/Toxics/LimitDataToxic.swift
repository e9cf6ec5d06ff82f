import WeirWire

/// A toxic that passes a number of bytes, then closes the flow.
///
/// The count survives a change of the settings.
struct LimitDataToxic: Toxic {
    static let type = ToxicType(
        "limit_data",
        "Lets so many bytes go on, then closes the flow.",
        [.integer("bytes", "bytes", "how many bytes go on")]
    ) { settings in
        LimitDataToxic(bytes: settings.integer("bytes"))
    }

    let bytes: Int
    private var passed = 0

    init(bytes: Int) {
        self.bytes = bytes
    }

    mutating func process(_ input: ToxicInput, at now: Instant, random: inout SplitMix64) -> Verdict {
        guard case .chunk(let chunk) = input else { return Verdict() }
        let left = max(0, bytes - passed)
        guard chunk.bytes.count >= left else {
            passed += chunk.bytes.count
            return Verdict([chunk])
        }
        passed += left
        guard left > 0 else { return .dropping(chunk, then: .close(at: now)) }
        guard left < chunk.bytes.count else { return Verdict([chunk], then: .close(at: now)) }
        var part = chunk.part(0..<left, due: now)
        part.changes.append(ToxicChange(.cut, count: chunk.bytes.count - left, offset: left))
        var verdict = Verdict([part], then: .close(at: now))
        verdict.droppedBytes = chunk.bytes.count - left
        return verdict
    }

    mutating func adopt(_ previous: any Toxic) {
        if let previous = previous as? LimitDataToxic { passed = previous.passed }
    }
}
