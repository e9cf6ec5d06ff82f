/// An `errno` of Linux, or a negative error of getaddrinfo(3), printed with its name and its meaning.
///
/// Source: Linux `include/uapi/asm-generic/errno.h`, `errno-base.h`; glibc `netdb.h`.
@frozen
public struct ErrorNumber: Hashable, Sendable, CustomStringConvertible {
    /// The number.
    public var rawValue: Int32

    /// Creates an error number.
    @inlinable
    public init(_ rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// Creates the error with a name, as `name` returns it; nil if there is none.
    package init?(name: String) {
        if let known = ErrorNumber.all.first(where: { $0.name == name }) {
            rawValue = known.number
        } else if name.hasPrefix("errno "), let number = Int32(name.dropFirst(6)) {
            rawValue = number
        } else {
            return nil
        }
    }

    /// The peer does not listen: `ECONNREFUSED`.
    public static let connectionRefused = ErrorNumber(111)
    /// The peer reset the connection: `ECONNRESET`.
    public static let connectionReset = ErrorNumber(104)
    /// An operation took too long: `ETIMEDOUT`.
    public static let timedOut = ErrorNumber(110)

    /// The one who asked no longer wants it: `ECANCELED`.
    public static let canceled = ErrorNumber(125)

    /// The name of the target has no address: `EAI_NONAME`.
    public static let nameNotResolved = ErrorNumber(-2)

    /// The name of the error in C, as in `ECONNREFUSED`; `errno 999` if the table has no such number.
    public var name: String { known?.name ?? "errno \(rawValue)" }

    /// The meaning of the error, in a few words.
    public var meaning: String { known?.meaning ?? "an error of the system" }

    /// The meaning and the name: `connection refused (ECONNREFUSED)`.
    public var description: String { "\(meaning) (\(name))" }

    private var known: (number: Int32, name: String, meaning: String)? {
        ErrorNumber.all.first { $0.number == rawValue }
    }

    private static let all: [(number: Int32, name: String, meaning: String)] = [
        (-2, "EAI_NONAME", "name cannot be resolved"),
        (1, "EPERM", "operation not permitted"),
        (2, "ENOENT", "no such file or folder"),
        (4, "EINTR", "interrupted"),
        (5, "EIO", "input or output error"),
        (6, "ENXIO", "no such device or address"),
        (9, "EBADF", "not an open file"),
        (11, "EAGAIN", "no room now"),
        (12, "ENOMEM", "out of memory"),
        (13, "EACCES", "permission denied"),
        (16, "EBUSY", "device or file in use"),
        (17, "EEXIST", "file exists"),
        (19, "ENODEV", "no such device"),
        (20, "ENOTDIR", "no folder"),
        (21, "EISDIR", "folder, not file"),
        (22, "EINVAL", "invalid argument"),
        (23, "ENFILE", "too many open files in the system"),
        (24, "EMFILE", "too many open files"),
        (27, "EFBIG", "file too large"),
        (28, "ENOSPC", "no space left on the device"),
        (29, "ESPIPE", "no seeking in pipes"),
        (30, "EROFS", "read-only file system"),
        (32, "EPIPE", "broken pipe"),
        (34, "ERANGE", "out of range"),
        (36, "ENAMETOOLONG", "name too long"),
        (38, "ENOSYS", "no such call in this kernel"),
        (40, "ELOOP", "too many symbolic links"),
        (71, "EPROTO", "protocol error"),
        (90, "EMSGSIZE", "message too long"),
        (92, "ENOPROTOOPT", "no option of this protocol"),
        (93, "EPROTONOSUPPORT", "protocol not supported"),
        (95, "EOPNOTSUPP", "operation not supported"),
        (97, "EAFNOSUPPORT", "address family not supported"),
        (98, "EADDRINUSE", "address in use"),
        (99, "EADDRNOTAVAIL", "address not available"),
        (100, "ENETDOWN", "network is down"),
        (101, "ENETUNREACH", "network is unreachable"),
        (103, "ECONNABORTED", "connection aborted"),
        (104, "ECONNRESET", "connection reset by peer"),
        (105, "ENOBUFS", "no buffer space"),
        (106, "EISCONN", "already connected"),
        (107, "ENOTCONN", "not connected"),
        (108, "ESHUTDOWN", "end was shut down"),
        (110, "ETIMEDOUT", "timed out"),
        (111, "ECONNREFUSED", "connection refused"),
        (112, "EHOSTDOWN", "host is down"),
        (113, "EHOSTUNREACH", "no route to host"),
        (114, "EALREADY", "already under way"),
        (115, "EINPROGRESS", "under way"),
        (122, "EDQUOT", "quota used up"),
        (125, "ECANCELED", "canceled"),
    ]
}
