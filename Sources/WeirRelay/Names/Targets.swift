/// The target of each route, by the route's number; numbers are never used again.
final class Targets: Sendable {
    private let targets: Lock<[Target?]>

    init(_ targets: [Target?]) {
        self.targets = Lock(targets)
    }

    /// Returns a route's target; nil for a route that sends bytes back.
    subscript(route: Int) -> Target? { targets.withLock { $0[route] } }

    /// The number of the next route.
    var next: Int { targets.withLock { $0.count } }

    /// Adds the target of a new route, and returns the route's number.
    func add(_ target: Target) -> Int {
        targets.withLock { targets in
            targets.append(target)
            return targets.count - 1
        }
    }

    /// Reports the repetitions of earlier warnings; call it at the end.
    func tellRest() {
        for target in targets.withLock({ $0 }) { target?.tellRest() }
    }

    /// Changes a route's target, from the next flow on.
    func replace(_ route: Int, with target: Target) { targets.withLock { $0[route] = target } }
}
