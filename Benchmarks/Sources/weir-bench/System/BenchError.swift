import Glibc

/// What can go wrong while measuring; each case reads as one line.
enum BenchError: Error, Equatable, CustomStringConvertible {
    /// A system call failed, on an endpoint or file where one is known.
    case system(call: String, errno: Int32, on: String?)
    /// An argument that cannot be used.
    case usage(String)
    /// A program that is needed is not installed.
    case absent(program: String)
    /// A subject cannot do this, or not in a bearable time.
    case refused(String)
    /// A peer did not start, or ended before its time.
    case peer(name: String, reason: String)
    /// The load generator could not do its work through the subject.
    case load(String)
    /// A child of weir-bench answered with something unreadable.
    case child(program: String, reason: String)

    var description: String {
        switch self {
        case .system(let call, let number, let place):
            "\(call) failed\(place.map { " on \($0)" } ?? ""): \(String(cString: strerror(number)))"
        case .usage(let text), .load(let text), .refused(let text): text
        case .absent(let program): "\(program) is not installed"
        case .peer(let name, let reason): "\(name): \(reason)"
        case .child(let program, let reason): "\(program): \(reason)"
        }
    }

    /// The exit code that says what kind it is, as in sysexits.
    var exitCode: Int32 {
        switch self {
        case .usage: 64
        case .absent, .refused, .peer: 69
        case .load, .child: 70
        case .system(let call, _, _): call == "open" ? 73 : 74
        }
    }

    /// Makes the error of the call that just failed.
    static func lastCall(_ call: String, on place: String? = nil) -> BenchError {
        .system(call: call, errno: errno, on: place)
    }
}
