import Glibc

/// A terminal of some width without a screen: a program whose output it is takes it for one.
package final class PseudoTerminal: Sendable {
    /// The path to which a program writes.
    package let path: String
    private let screen: Int32
    /// The side of programs, open until one of them has it.
    private let side: Int32

    /// TIOCSPTLCK and TIOCGPTN, which Swift does not import, and neither posix_openpt(3).
    private static let (setLock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)

    /// Opens a terminal that passes bytes on as they are.
    package init(columns: Int) throws {
        screen = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var (number, isLocked): (Int32, Int32) = (-1, 0)
        guard screen >= 0, ioctl(screen, Self.setLock, &isLocked) == 0, ioctl(screen, Self.getNumber, &number) == 0
        else {
            throw HelperError("no pseudo-terminal: errno \(errno)")
        }
        path = "/dev/pts/\(number)"
        side = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard side >= 0 else { throw HelperError("cannot open \(path): errno \(errno)") }
        var settings = termios()
        tcgetattr(side, &settings)
        cfmakeraw(&settings)
        var size = winsize(ws_row: 24, ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
        guard tcsetattr(side, TCSANOW, &settings) == 0, ioctl(side, UInt(TIOCSWINSZ), &size) == 0 else {
            throw HelperError("cannot set up \(path): errno \(errno)")
        }
    }

    deinit { close(screen) }

    /// Reads what a program writes until it has ended; call it once, after the program was started.
    package func read() throws -> [UInt8] {
        close(side)
        let deadline = Deadline()
        var (bytes, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 16))
        while true {
            var entry = [pollfd(fd: screen, events: Int16(POLLIN), revents: 0)]
            try deadline.wait(&entry)
            let count = Glibc.read(screen, &buffer, buffer.count)
            if count > 0 {
                bytes += buffer[..<count]
            } else if count == 0 || errno == EIO {
                // All that wrote have closed it.
                return bytes
            } else if errno != EINTR {
                throw HelperError("cannot read \(path): errno \(errno)")
            }
        }
    }
}
