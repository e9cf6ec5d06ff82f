import Glibc
import Testing
import WeirCapture
import WeirEngine
import WeirWire

@testable import weir
@testable import WeirRelay

@Suite("Errors that end the program")
struct FailureTests {
    private static func system(_ number: Int32) -> SystemError { SystemError("do it", ErrorNumber(number)) }

    @Test(
        "Each error has a code of sysexits",
        arguments: [
            (Failure(.cannotCreate, "x"), 73), (RouteError("x", "is none"), 64), (ToxicError.unknownType("x"), 64),
            (RouteChangeError.stopping, 64), (system(EACCES), 77), (system(EPERM), 77), (system(EADDRINUSE), 69),
            (system(ENOENT), 69), (ResolveError(name: "x", reason: "y"), 69), (CaptureError.notBuilt, 69),
            (CaptureError.badFilter("x", words: "y"), 64), (CaptureError.interfaceGone("x", words: "y"), 69),
            (CaptureError.noInterface("x", available: []), 69), (CaptureError.failed(attempt: "x", words: "y"), 69),
            (CancellationError(), 70),
        ] as [(any Error & Sendable, Int32)]
    )
    func codes(error: any Error & Sendable, code: Int32) {
        let failure = Failure(error)
        #expect(failure.code.rawValue == code)
        #expect(failure.message == (error as? Failure)?.message ?? "\(error)")
    }

    @Test("Without the right to capture the command is told that gives it")
    func advice() {
        let failure = Failure(CaptureError.noPermission(interface: "lo", words: "no"))
        #expect(failure.code == .noPermission)
        let (start, end) = ("cannot capture on lo: no; run: sudo setcap cap_net_raw+ep /", ".xctest")
        #expect(failure.message.hasPrefix(start) && failure.message.hasSuffix(end))
    }

    @Test(
        "A file that cannot be made ends with 73, or with 77 without the right to",
        arguments: [(EACCES, 77), (EPERM, 77), (ENOENT, 73), (EEXIST, 73), (ENOSPC, 73)] as [(Int32, Int32)]
    )
    func creating(number: Int32, code: Int32) {
        #expect(Failure(creating: Self.system(number)).code.rawValue == code)
    }

    @Test(
        "A file that cannot be read ends with 66 where it is none, 77 without the right to, else 74",
        arguments: [
            (EACCES, 77), (EPERM, 77), (ENOENT, 66), (EISDIR, 66), (ENOTDIR, 66), (ELOOP, 66), (ENAMETOOLONG, 66),
            (ENXIO, 66), (EIO, 74), (EBADF, 74),
        ] as [(Int32, Int32)]
    )
    func reading(number: Int32, code: Int32) {
        let failure = Failure(reading: .system(attempt: "read 'x'", ErrorNumber(number)))
        #expect(failure.code.rawValue == code)
    }
}
