import ArgumentParser
import Testing

@testable import weir_bench

@Suite("Options")
struct MeasureOptionsTests {
    @Test("Three rounds of two seconds with one worker, unless told otherwise")
    func defaults() throws {
        let settings = try MeasureOptions.parse([]).settings(cores: 8)
        #expect(settings == Bench.Settings())
        #expect(settings.rounds == 3)
        #expect(settings.workers == 1)
    }

    @Test("All cores are all cores, of the relays and of the load")
    func allCores() throws {
        let settings = try MeasureOptions.parse(["--all-cores", "--rounds", "5"]).settings(cores: 8)
        #expect(settings.workers == 8)
        #expect(settings.loadThreads == 8)
        #expect(settings.rounds == 5)
    }

    @Test(
        "What cannot be measured is refused",
        arguments: [
            ["--rounds", "0"], ["--rounds", "x"], ["--seconds", "0"], ["--seconds", "61"], ["--seconds", "nan"],
            ["--weir", "/nowhere/weir"], ["--before", "/nowhere/weir"], ["--unknown"],
        ]
    )
    func refused(_ arguments: [String]) {
        #expect(throws: (any Error).self) { try MeasureOptions.parse(arguments) }
    }

    @Test("Names may be repeated")
    func names() throws {
        #expect(try MeasureOptions.parse(["--only", "a", "--only", "b"]).only == ["a", "b"])
    }
}
