import Support
import Testing

@testable import WeirRelay

@Suite("Repeated reports")
struct RepeatedReportTests {
    private let reports = Reports()
    private let time = ManualTime()
    private let repeated: RepeatedReport

    init() {
        repeated = RepeatedReport(clock: { [time] in time.now }) { [reports] in reports.add($0) }
    }

    @Test("Each kind is told at once, and each for itself")
    func kinds() {
        for text in ["a", "b", "a", "b", "a"] { repeated.tell(text) }
        #expect(reports.lines == ["a", "b"])
        time.set(.seconds(10))
        repeated.tell("a")
        #expect(reports.lines == ["a", "b", "a (3 times more in 10 s)"])
        repeated.tellRest()
        #expect(reports.lines.last == "b (1 time more in 10 s)" && reports.lines.count == 4)
        repeated.tell("a")
        #expect(reports.lines.last == "a")
    }

    @Test("Lines that differ in what is no matter are of one kind; the last one is told")
    func oneKind() {
        for port in 1...5 { repeated.tell("refused: client \(port)", of: "refused") }
        repeated.tellRest()
        #expect(reports.lines == ["refused: client 1", "refused: client 5 (4 times more in 1 s)"])
    }

    @Test("More kinds than are remembered are told each time, and old ones make room", arguments: [99, 100, 101])
    func bound(count: Int) {
        for _ in 0..<2 {
            for number in 0..<count { repeated.tell("\(number)") }
        }
        #expect(reports.lines.count == count + (count > 100 ? 1 : 0))
        time.set(.seconds(100))
        repeated.tell("new")
        repeated.tell("new")
        let told = reports.lines.count { $0 == "new" }
        #expect(told == 1)
    }
}
