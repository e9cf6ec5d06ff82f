import Synchronization

/// A flag that one thread sets and others read.
final class StopFlag: Sendable {
    private let value = Atomic(false)

    /// Whether it was set.
    var isSet: Bool { value.load(ordering: .acquiring) }

    /// Sets it for good.
    func set() { value.store(true, ordering: .releasing) }
}
