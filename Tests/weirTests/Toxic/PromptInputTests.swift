import Glibc
import Testing

@testable import weir

@Suite("The lines of a prompt")
struct PromptInputTests {
    private static func write(_ text: String, _ descriptor: Int32) {
        let bytes = Array(text.utf8)
        #expect(Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
    }

    @Test("Lines are read one by one, the last one without an end too, and nothing behind it")
    func reads() {
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0)
        defer { close(ends[0]) }
        var input = PromptInput(ends[0])
        expectMore(&input)
        Self.write("f\n\ned", ends[1])
        expectLine(&input, "f")
        expectLine(&input, "")
        expectMore(&input)
        Self.write("it", ends[1])
        close(ends[1])
        expectMore(&input)
        expectLine(&input, "edit")
        expectLine(&input, nil)
        expectEnd(&input)
    }

    @Test("What was written ahead is kept where it is no terminal, and an end is noticed without waiting")
    func notices() {
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0)
        defer { close(ends[0]) }
        var input = PromptInput(ends[0])
        Self.write("f\nd\n", ends[1])
        expectMore(&input)
        close(ends[1])
        expectMore(&input)
        expectLine(&input, "f")
        expectLine(&input, "d")
        expectEnd(&input)
    }

    @Test("Where nothing is typed in time, that is said, and what was typed of a line is kept")
    func waits() {
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0)
        defer { close(ends[0]) }
        defer { close(ends[1]) }
        var input = PromptInput(ends[0])
        var typed = input.line(within: 0)
        #expect(typed == .nothing)
        Self.write("e", ends[1])
        typed = input.line(within: 1)
        #expect(typed == .nothing)
        Self.write("dit\n", ends[1])
        expectLine(&input, "edit")
    }

    private func expectMore(_ input: inout PromptInput) {
        let isOver = input.isOver()
        #expect(!isOver)
    }

    private func expectEnd(_ input: inout PromptInput) {
        let isOver = input.isOver()
        #expect(isOver)
    }

    private func expectLine(_ input: inout PromptInput, _ expected: String?) {
        let line = input.line(within: 10_000)
        #expect(line == expected.map { .line($0) } ?? .end)
    }

    @Test("An input that cannot be read has ended")
    func fails() {
        let folder = open("/tmp", O_RDONLY | O_DIRECTORY)
        defer { close(folder) }
        var input = PromptInput(folder)
        #expect(input.line(within: 5000) == .end)
        var other = PromptInput(folder)
        #expect(other.isOver() && other.line(within: 0) == .end)
    }
}
