import Glibc
import Testing
import WeirEngine

@testable import WeirRelay
@testable import weir

@Suite("A program that a session watches")
struct WatchedProgramTests {
    private static func program(_ end: ProgramEnd? = nil) -> WatchedProgram {
        let watcher = ProgramWatcher(WatchSettings(command: ["true"])) { _ in }
        let program = WatchedProgram(watcher, waitsForAll: false, hasToxics: false)
        if let end { program.note(end) }
        return program
    }

    @Test(
        "The exit status is the command's; Weir's own counts where the command gave 0",
        arguments: [
            (.exited(0), .done, 0), (.exited(0), .expectationFailed, 1), (.exited(0), .inputOutput, 74),
            (.exited(0), .internalError, 70), (.exited(3), .done, 3), (.exited(3), .expectationFailed, 3),
            (.exited(255), .inputOutput, 255), (.signaled(SIGINT), .done, 130), (.signaled(SIGKILL), .done, 137),
            (.signaled(SIGSEGV), .expectationFailed, 139), (nil, .done, 143),
        ] as [(ProgramEnd?, weir.ExitStatus, Int32)]
    )
    func statuses(end: ProgramEnd?, own: weir.ExitStatus, status: Int32) {
        #expect(Self.program(end).exitStatus(own) == status)
    }

    @Test("While the command runs, only a second SIGTERM ends the session; after its end every signal does")
    func signals() {
        let running = Self.program()
        for signal in [SIGINT, SIGHUP, SIGINT, SIGTERM, SIGINT, SIGHUP] {
            #expect(!running.endsSession(by: signal))
        }
        #expect(running.endsSession(by: SIGTERM))
        for signal in [SIGINT, SIGHUP, SIGTERM] { #expect(Self.program(.exited(0)).endsSession(by: signal)) }
    }

    @Test(
        "What keeps a command from being watched has a shell's status, or 69",
        arguments: [
            (.notFound("x"), 127), (.notExecutable("x", ErrorNumber(EACCES)), 126), (.unavailable("x"), 69),
        ] as [(WatchError, Int32)]
    )
    func errors(error: WatchError, status: Int32) {
        let failure = Failure(error)
        #expect(failure.code.rawValue == status && failure.message == "\(error)")
    }
}
