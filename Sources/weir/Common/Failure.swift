import Glibc
import Synchronization
import WeirCapture
import WeirEngine
import WeirRelay

/// The exit codes, according to sysexits(3), and those of a shell for a command.
enum ExitStatus: Int32, Sendable {
    case done = 0
    case expectationFailed = 1
    case usage = 64
    case dataError = 65
    case noInput = 66
    case unavailable = 69
    case internalError = 70
    case cannotCreate = 73
    case inputOutput = 74
    case noPermission = 77
    /// A command cannot be executed; the number is a shell's.
    case notExecutable = 126
    /// A command was not found; the number is a shell's.
    case notFound = 127
}

/// An error that ends the program, with one line on standard error and an exit code.
struct Failure: Error {
    var code: ExitStatus
    var message: String

    init(_ code: ExitStatus, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Translates any error of the relay; this is the only place where errors become exit codes.
    init(_ error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let error as RouteError: self.init(.usage, "\(error)")
        case let error as ToxicError: self.init(.usage, "\(error)")
        case let error as RouteChangeError: self.init(.usage, "\(error)")
        case let error as RouteLoopError: self.init(.usage, "\(error)")
        case let error as ResolveError: self.init(.unavailable, "\(error)")
        case let error as SystemError: self.init(Self.code(for: error.error), "\(error)")
        case let error as CaptureError: self.init(capturing: error)
        case let error as WatchError: self.init(watching: error)
        #if TLS
        case let error as TLSServicesError: self.init(.usage, "\(error)")
        case let error as TLSClientError: self.init(.unavailable, "\(error)")
        #endif
        default: self.init(.internalError, "\(error)")
        }
    }

    /// Translates an error of creating a file.
    init(creating error: SystemError) {
        let code = Self.code(for: error.error)
        self.init(code == .noPermission ? code : .cannotCreate, "\(error)")
    }

    /// Translates an error of capturing packets, with advice if a right is missing.
    private init(capturing error: CaptureError) {
        switch error {
        case .noPermission:
            self.init(.noPermission, "\(error); run: sudo setcap cap_net_raw+ep \(Self.programPath)")
        case .badFilter: self.init(.usage, "\(error)")
        case .notBuilt, .noInterface, .interfaceGone, .failed: self.init(.unavailable, "\(error)")
        }
    }

    /// Translates an error of starting a program under watch.
    private init(watching error: WatchError) {
        let code: ExitStatus =
            switch error {
            case .notFound: .notFound
            case .notExecutable: .notExecutable
            case .unavailable: .unavailable
            }
        self.init(code, "\(error)")
    }

    private static var programPath: String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : "weir"
    }

    /// Translates an error of reading a capture, from its start or in the middle.
    init(reading error: CaptureFailure) {
        let code: ExitStatus =
            switch error {
            case .system(_, let number): Self.code(reading: number)
            case .capture, .gzip, .log: .dataError
            }
        self.init(code, "\(error)")
    }

    private static func code(reading error: ErrorNumber) -> ExitStatus {
        switch error.rawValue {
        case EACCES, EPERM: .noPermission
        case ENOENT, EISDIR, ENOTDIR, ELOOP, ENAMETOOLONG, ENXIO: .noInput
        default: .inputOutput
        }
    }

    private static func code(for error: ErrorNumber) -> ExitStatus {
        switch error.rawValue {
        case EACCES, EPERM: .noPermission
        default: .unavailable
        }
    }
}

/// Standard error, and the lines that are written to it.
enum Diagnostics {
    /// Writes one line that begins with the program's name.
    static func print(_ line: String) { write("weir: \(line)\n") }

    /// Writes text as it is.
    static func write(_ text: String) {
        var text = text
        text.withUTF8 { write(UnsafeRawBufferPointer($0)) }
    }

    /// Writes bytes as they are, and waits for a slow reader; after `stopWaiting` at most for a second.
    static func write(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        while !rest.isEmpty {
            guard waitForRoom() else { return }
            // A pipe that is ready has room for PIPE_BUF bytes.
            let count = Glibc.write(STDERR_FILENO, rest.baseAddress, min(rest.count, Int(PIPE_BUF)))
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0 else { return }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Prints that the program waits for a reader of a pipe.
    static func tellWaiting(for path: String) {
        print("'\(path)' is a pipe that nobody reads: waiting for a reader; ^C ends")
    }

    /// Stops long waits for a reader of standard error that reads nothing, because the program is about to end.
    static func stopWaiting() { isEnding.store(true, ordering: .relaxed) }

    private static let isEnding = Atomic(false)
    /// Whether a line was dropped, so that the next ones do not wait.
    private static let isStuck = Atomic(false)

    /// Returns whether standard error accepts bytes, or a write will return its error.
    private static func waitForRoom() -> Bool {
        var slices = 0
        while true {
            var entry = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
            let count = poll(&entry, 1, isStuck.load(ordering: .relaxed) ? 0 : 100)
            // If poll(2) fails, the write returns the error.
            if count > 0 || count < 0 && errno != EINTR { return true }
            guard isEnding.load(ordering: .relaxed), count == 0 else { continue }
            slices += 1
            guard slices < 10, !isStuck.load(ordering: .relaxed) else {
                isStuck.store(true, ordering: .relaxed)
                return false
            }
        }
    }
}
