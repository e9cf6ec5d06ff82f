import Testing
import WeirEngine

@testable import WeirRelay

@Suite("File rotation")
struct FileRotationTests {
    private static let second: Int64 = 1_000_000_000

    @Test(
        "Ends a file at the next exact multiple since 1970, also where it is begun at one",
        arguments: [
            (Duration.seconds(3600), 0, 3600), (.seconds(3600), 1, 3600), (.seconds(3600), 3599, 3600),
            (.seconds(3600), 3600, 7200), (.seconds(60), 1_795_350_667, 1_795_350_720),
            (.seconds(86_400), 1_795_350_667, 1_795_392_000), (.seconds(10), -1, 0), (.seconds(10), -10, 0),
        ] as [(Duration, Int64, Int64)]
    )
    func boundary(every: Duration, time: Int64, expected: Int64) {
        let rotation = FileRotation(every: every)
        #expect(rotation.boundary(after: time * Self.second) == expected * Self.second)
    }

    @Test("Never ends a file by time where none is told, or where time ends before")
    func never() {
        #expect(FileRotation(size: 5).boundary(after: 7) == nil)
        #expect(FileRotation(every: .zero).boundary(after: 7) == nil)
        #expect(FileRotation(every: .seconds(3600)).boundary(after: .max - 5) == nil)
    }

    @Test("Has several files where it has a size or a time")
    func several() {
        #expect(FileRotation(size: 1).hasSeveralFiles && FileRotation(every: .seconds(1)).hasSeveralFiles)
        #expect(!FileRotation(keep: 3).hasSeveralFiles)
    }
}
