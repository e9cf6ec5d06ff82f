import WeirWire

/// A limit on the lines that clients can cause: a problem is reported at once, and then at most every ten seconds, with
/// the number of repetitions in between.
///
///     let repeated = RepeatedReport { print($0) }
///     repeated.tell("cannot resolve 'a'")  // prints it
///     repeated.tell("cannot resolve 'a'")  // prints nothing
///     // ten seconds later:
///     repeated.tell("cannot resolve 'a'")  // prints "cannot resolve 'a' (2 times more in 10 s)"
final class RepeatedReport: Sendable {
    private struct Kind {
        var told: Instant
        /// The number of lines that were counted but not reported since then; `text` is the latest of them.
        var untold = 0
        var text: String
    }

    static let interval = Duration.seconds(10)
    /// The maximum number of kinds that are remembered.
    private static let limit = 100

    private let kinds = Lock<[String: Kind]>([:])
    private let report: @Sendable (String) -> Void
    private let clock: @Sendable () -> Instant

    init(
        clock: @escaping @Sendable () -> Instant = { SystemClock.instant() },
        _ report: @escaping @Sendable (String) -> Void
    ) {
        self.clock = clock
        self.report = report
    }

    /// Reports or counts a line.
    ///
    /// - Parameters:
    ///   - text: The line.
    ///   - kind: What lines of one kind have in common, if not the whole text.
    func tell(_ text: String, of kind: String? = nil) {
        let now = clock()
        let lines = kinds.withLock { kinds -> [String] in
            var lines: [String] = []
            if kinds.count >= Self.limit { lines = Self.takeRest(of: &kinds, before: now) }
            guard var known = kinds[kind ?? text] else {
                // If the table is full, a new kind is reported each time rather than never.
                if kinds.count < Self.limit { kinds[kind ?? text] = Kind(told: now, text: text) }
                return lines + [text]
            }
            known.untold += 1
            known.text = text
            defer { kinds[kind ?? text] = known }
            guard known.told.duration(to: now) >= Self.interval else { return lines }
            lines.append(Self.line(known, at: now))
            (known.told, known.untold) = (now, 0)
            return lines
        }
        for line in lines { report(line) }
    }

    /// Reports what was counted and not reported yet; call it at the end.
    func tellRest() {
        let now = clock()
        let lines = kinds.withLock { kinds in
            defer { kinds = [:] }
            return kinds.values.filter { $0.untold > 0 }.map { Self.line($0, at: now) }.sorted()
        }
        for line in lines { report(line) }
    }

    /// Forgets the kinds that were last reported long ago, and returns the lines for their repetitions.
    private static func takeRest(of kinds: inout [String: Kind], before now: Instant) -> [String] {
        let old = kinds.filter { $0.value.told.duration(to: now) >= interval }
        for name in old.keys { kinds[name] = nil }
        return old.values.filter { $0.untold > 0 }.map { line($0, at: now) }.sorted()
    }

    private static func line(_ kind: Kind, at now: Instant) -> String {
        let seconds = max(1, kind.told.duration(to: now).components.seconds)
        return "\(kind.text) (\(kind.untold) time\(kind.untold == 1 ? "" : "s") more in \(seconds) s)"
    }
}
