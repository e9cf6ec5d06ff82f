import CWeirBench
import Glibc

/// An epoll set with room for the events of one wait.
struct Poller: ~Copyable {
    /// Wakes when there is something to read.
    static let readable = EPOLLIN.rawValue
    /// Wakes when there is room to write.
    static let writable = EPOLLOUT.rawValue
    /// Wakes once for each change, not as long as the state lasts.
    static let edge = EPOLLET.rawValue
    /// Wakes only one of the threads that wait on the same listener.
    static let exclusive: UInt32 = 1 << 28
    /// The other side has failed or gone.
    static let broken = EPOLLERR.rawValue | EPOLLHUP.rawValue

    private static let capacity = 512
    private let descriptor: Descriptor
    private let events: UnsafeMutablePointer<epoll_event>

    /// Makes an empty set.
    init() throws(BenchError) {
        let number = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard number >= 0 else { throw .lastCall("epoll_create1") }
        descriptor = Descriptor(number)
        events = .allocate(capacity: Self.capacity)
    }

    deinit {
        events.deallocate()
    }

    /// Adds a descriptor; its events carry the tag.
    func add(_ number: Int32, events wanted: UInt32, tag: Int) throws(BenchError) {
        try control(EPOLL_CTL_ADD, number, wanted, tag)
    }

    /// Changes what a descriptor waits for.
    func modify(_ number: Int32, events wanted: UInt32, tag: Int) throws(BenchError) {
        try control(EPOLL_CTL_MOD, number, wanted, tag)
    }

    /// Takes a descriptor out.
    func remove(_ number: Int32) throws(BenchError) {
        try control(EPOLL_CTL_DEL, number, 0, 0)
    }

    /// Waits for events and returns how many there are; 0 after the time is over or on a signal.
    func wait(milliseconds: Int32) throws(BenchError) -> Int {
        let count = epoll_wait(descriptor.number, events, Int32(Self.capacity), milliseconds)
        if count >= 0 { return Int(count) }
        guard errno == EINTR else { throw .lastCall("epoll_wait") }
        return 0
    }

    /// Returns the tag of an event of the last wait.
    @inline(__always)
    func tag(_ index: Int) -> Int { Int(truncatingIfNeeded: events[index].data.u64) }

    /// Returns what happened in an event of the last wait.
    @inline(__always)
    func flags(_ index: Int) -> UInt32 { events[index].events }

    private func control(_ action: Int32, _ number: Int32, _ wanted: UInt32, _ tag: Int) throws(BenchError) {
        var event = epoll_event(events: wanted, data: epoll_data(u64: UInt64(tag)))
        guard epoll_ctl(descriptor.number, action, number, &event) == 0 else { throw .lastCall("epoll_ctl") }
    }
}
