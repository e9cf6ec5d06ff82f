import Glibc

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
