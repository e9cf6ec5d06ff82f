import Glibc

/// Owns a file descriptor, and closes it.
package struct Descriptor: ~Copyable {
    /// Holds the descriptor's number, for system calls.
    package let raw: Int32

    /// Takes ownership of an open descriptor.
    package init(owning raw: Int32) {
        self.raw = raw
    }

    deinit {
        close(raw)
    }

    /// Gives the descriptor up without closing it: for handing it to another thread.
    package consuming func release() -> Int32 {
        let raw = raw
        discard self
        return raw
    }
}
