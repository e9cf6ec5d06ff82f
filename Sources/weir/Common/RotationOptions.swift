import ArgumentParser
import WeirRelay

/// The options for when a capture continues in another file.
struct RotationOptions: ParsableArguments {
    private static let smallestSize = 1024

    @Option(help: ArgumentHelp("Begin a new file once one has grown to this size.", valueName: "bytes"))
    var rotateSize: ByteCountArgument?

    @Option(
        help: ArgumentHelp(
            "Begin a new file at every exact multiple of this time: 1h is on the hour.",
            valueName: "time"
        )
    )
    var rotateEvery: DurationArgument?

    @Option(help: ArgumentHelp("Keep this many files, and delete the oldest of this run.", valueName: "count"))
    var rotateKeep: Int?

    /// Whether there can be more than one file.
    var rotates: Bool { rotateSize != nil || rotateEvery != nil }

    /// Whether any of the options was given.
    var isAnyGiven: Bool { rotates || rotateKeep != nil }

    /// The rotation that the options ask for.
    var rotation: FileRotation {
        FileRotation(size: rotateSize?.bytes, every: rotateEvery?.duration, keep: rotateKeep)
    }

    func validate() throws {
        if rotateKeep != nil, !rotates { throw ValidationError("--rotate-keep needs --rotate-size or --rotate-every.") }
        if let rotateKeep, rotateKeep < 1 { throw ValidationError("--rotate-keep takes a number from 1.") }
        if let rotateSize, rotateSize.bytes < Self.smallestSize {
            throw ValidationError("--rotate-size takes a size from \(Self.smallestSize) bytes.")
        }
        if let rotateEvery, rotateEvery.duration < .seconds(1) {
            throw ValidationError("--rotate-every takes a time from 1s.")
        }
    }
}
