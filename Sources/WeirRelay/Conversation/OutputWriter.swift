import Glibc
import WeirEngine

/// An inherited descriptor for output, to which no more is written than it can take at once.
///
/// The shell and other programs share such a descriptor, so it must not become non-blocking. After `poll(2)` has
/// reported it writable, a socket takes what fits without waiting, a regular file takes everything, and a pipe has room
/// for `PIPE_BUF` bytes, unless another program writes to the same pipe. A terminal may have room for less, and then a
/// write waits for the terminal.
///
/// Source: Linux pipe(7), poll(2).
struct OutputWriter {
    private enum Kind { case file, socket, other }

    let raw: Int32
    private let kind: Kind

    init(_ raw: Int32) {
        self.raw = raw
        var status = stat()
        guard fstat(raw, &status) == 0 else {
            kind = .other
            return
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: kind = .file
        case S_IFSOCK: kind = .socket
        default: kind = .other
        }
    }

    /// Writes the first of the bytes, once the descriptor is ready.
    ///
    /// - Returns: the number of bytes taken; 0 if the descriptor was not ready after all.
    func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Int {
        let count =
            switch kind {
            case .file: Glibc.write(raw, bytes.baseAddress, bytes.count)
            case .socket: send(raw, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
            case .other: Glibc.write(raw, bytes.baseAddress, min(bytes.count, Int(PIPE_BUF)))
            }
        guard count < 0 else { return count }
        let error = ErrorNumber.current
        guard error.rawValue == EAGAIN || error.rawValue == EINTR else {
            throw SystemError("write to standard output", error)
        }
        return 0
    }
}
