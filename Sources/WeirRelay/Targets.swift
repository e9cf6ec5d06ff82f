/// Holds where each route leads, by the route's number; numbers are never given again.
final class Targets: Sendable {
    private let targets: Lock<[Target?]>

    init(_ targets: [Target?]) {
        self.targets = Lock(targets)
    }

    /// Returns a route's target; nil for a route that sends back what comes.
    subscript(route: Int) -> Target? { targets.withLock { $0[route] } }

    /// The number that the next route gets.
    var next: Int { targets.withLock { $0.count } }

    /// Gives a number to a route that leads somewhere.
    func add(_ target: Target) -> Int {
        targets.withLock { targets in
            targets.append(target)
            return targets.count - 1
        }
    }

    /// Tells at the end what was counted of warnings that were told already.
    func tellRest() {
        for target in targets.withLock({ $0 }) { target?.tellRest() }
    }

    /// Lets a route lead elsewhere from the next flow on.
    func replace(_ route: Int, with target: Target) { targets.withLock { $0[route] = target } }
}
