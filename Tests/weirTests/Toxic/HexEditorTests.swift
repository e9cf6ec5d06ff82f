import Glibc
import Support
import Testing

@testable import weir

@Suite("The editor of a held chunk", .serialized, .timeLimit(.minutes(1)))
struct HexEditorTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Edits bytes with a command of the shell, to which the file's path is added.
    private func edit(_ bytes: [UInt8], with command: String, in variable: String = "VISUAL") throws -> [UInt8]? {
        let names: [String] = ["VISUAL", "EDITOR"]
        let before = names.map { name in (name, getenv(name).map { String(cString: $0) }) }
        defer { for (name, value) in before { if let value { setenv(name, value, 1) } else { unsetenv(name) } } }
        unsetenv("EDITOR")
        setenv("VISUAL", "", 1)
        setenv(variable, command, 1)
        return try HexEditor.edit(bytes)
    }

    private func script(_ text: String) throws -> String {
        let path = try folder.file("script", Array("#!/bin/sh\n\(text)\n".utf8))
        #expect(chmod(path, 0o700) == 0)
        return path
    }

    @Test("What the editor leaves is read back, whichever variable names it", arguments: ["VISUAL", "EDITOR"])
    func edits(variable: String) throws {
        #expect(try edit([1, 2, 3], with: "sed -i 's/ 02/ 41 42/'", in: variable) == [1, 0x41, 0x42, 3])
        #expect(try edit(Array(0...255), with: "true", in: variable) == Array(0...255))
        #expect(try edit([1], with: "truncate -s 0", in: variable) == [])
        #expect(!HexEditor.isRunning)
    }

    @Test(
        "An editor that fails, and a file that is no dump, change nothing",
        arguments: ["false", "exit 1 #", "sed -i 's/ 02/ zz/'"]
    )
    func fails(command: String) throws {
        #expect(try edit([1, 2, 3], with: command) == nil)
    }

    @Test("The file has the bytes as a dump below the instructions, and is gone afterwards")
    func files() throws {
        let copy = folder.path + "/copy"
        let script = try script("cp \"$1\" '\(copy)'; printf '%s' \"$1\" >'\(folder.path)/path'")
        #expect(try edit(Array("Hello".utf8), with: script) == Array("Hello".utf8))
        let text = String(decoding: try folder.read("copy"), as: UTF8.self)
        #expect(text.hasPrefix("# Change, add or delete bytes: "))
        #expect(text.hasSuffix("\n" + HexText.dump(Array("Hello".utf8))))
        let path = String(decoding: try folder.read("path"), as: UTF8.self)
        #expect(path.hasPrefix("/tmp/weir-hold-") && access(path, F_OK) != 0)
    }

    @Test("The editor blocks and ignores no signal, though this program does")
    func signals() throws {
        signal(SIGPIPE, SIG_IGN)
        var (mask, before) = (sigset_t(), sigset_t())
        sigemptyset(&mask)
        sigaddset(&mask, SIGUSR2)
        pthread_sigmask(SIG_BLOCK, &mask, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let script = try script("grep -E '^Sig(Blk|Ign)' /proc/self/status >'\(folder.path)/signals'")
        #expect(try edit([1], with: script) == [1])
        let lines = String(decoding: try folder.read("signals"), as: UTF8.self).split(separator: "\n")
        let masks = lines.map { UInt64($0.split(separator: "\t").last ?? "", radix: 16) }
        #expect(masks.count == 2 && masks[0] == 0, "\(lines)")
        #expect(masks.last.flatMap { $0 }.map { $0 & 1 << UInt64(SIGPIPE - 1) } == 0, "\(lines)")
    }
}
