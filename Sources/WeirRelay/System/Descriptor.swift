import Glibc
import Synchronization

/// A file descriptor that is closed with its owner.
package struct Descriptor: ~Copyable {
    /// The descriptor's number, for system calls.
    package let raw: Int32

    /// Takes ownership of an open descriptor.
    package init(owning raw: Int32) {
        self.raw = raw
    }

    deinit {
        close(raw)
    }

    /// Gives the descriptor away without closing it, for example to another thread.
    package consuming func release() -> Int32 {
        let raw = raw
        discard self
        return raw
    }
}

/// A descriptor on its way to the thread that will own it; it is closed if none takes it.
final class SentDescriptor: Sendable {
    private let raw: Atomic<Int32>

    init(_ descriptor: consuming Descriptor) {
        raw = Atomic(descriptor.release())
    }

    deinit {
        let left = raw.load(ordering: .relaxed)
        if left >= 0 { close(left) }
    }

    /// Takes the descriptor, once.
    func take() -> Descriptor { Descriptor(owning: raw.exchange(-1, ordering: .relaxed)) }
}
