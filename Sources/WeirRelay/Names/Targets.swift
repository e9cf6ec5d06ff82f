import WeirWire

/// The target of each route, and what its clients must say first, by the route's number; numbers are never used again.
final class Targets: Sendable {
    private struct Entry {
        var target: Target?
        var opening: OpeningKind?
    }

    private let entries: Lock<[Entry]>

    init(_ targets: [Target?], openings: [OpeningKind?] = []) {
        entries = Lock(
            targets.enumerated().map { index, target in
                Entry(target: target, opening: index < openings.count ? openings[index] : nil)
            }
        )
    }

    /// Returns a route's target; nil for a route that sends bytes back, or whose clients name theirs.
    subscript(route: Int) -> Target? { entries.withLock { $0[route].target } }

    /// Returns what makes the openings of a route's clients; nil if they need not say anything.
    func opening(of route: Int) -> (@Sendable () -> any Opening)? { entries.withLock { $0[route].opening?.make } }

    /// The number of the next route.
    var next: Int { entries.withLock { $0.count } }

    /// Adds the target of a new route, and returns the route's number.
    func add(_ target: Target) -> Int {
        entries.withLock { entries in
            entries.append(Entry(target: target))
            return entries.count - 1
        }
    }

    /// Reports the repetitions of earlier warnings; call it at the end.
    func tellRest() {
        for entry in entries.withLock({ $0 }) { entry.target?.tellRest() }
    }

    /// Changes a route's target, from the next flow on.
    func replace(_ route: Int, with target: Target) { entries.withLock { $0[route].target = target } }
}
