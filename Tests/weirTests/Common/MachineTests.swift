import Support
import Testing

@testable import weir

@Suite("The machine")
struct MachineTests {
    @Test("The operating system is what uname says", .needsProgram("uname"))
    func operatingSystem() throws {
        let ended = try ChildProgram.run("uname", ["-srm"])
        #expect(ended.status == 0)
        #expect(Machine.operatingSystem.map { $0 + "\n" } == ended.output)
    }
}
