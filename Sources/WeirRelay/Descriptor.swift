import Glibc

/// Owns a file descriptor, and closes it.
struct Descriptor: ~Copyable {
    let raw: Int32

    /// Takes ownership of an open descriptor.
    init(owning raw: Int32) {
        self.raw = raw
    }

    deinit {
        close(raw)
    }

    /// Gives the descriptor up without closing it: for handing it to another thread.
    consuming func release() -> Int32 {
        let raw = raw
        discard self
        return raw
    }
}
