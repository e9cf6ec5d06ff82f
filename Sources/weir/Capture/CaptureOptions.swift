import ArgumentParser
import WeirCapture
import WeirEngine

/// The options for how the kernel captures.
struct CaptureOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Capture at most this much of a packet; 0 is all.", valueName: "bytes"))
    var snaplen = ByteCountArgument(0)

    @Option(
        help: ArgumentHelp(
            "Let the kernel keep this much until it is read (default: 2M); packets past it are dropped, and counted.",
            valueName: "bytes"
        )
    )
    var buffer: ByteCountArgument?

    @Flag(help: "Take each packet at once, and not several together after at most 50 ms.")
    var immediate = false

    /// Whether any of the options was given.
    var isAnyGiven: Bool { snaplen.bytes != 0 || buffer != nil || immediate }

    func validate() throws {
        let largest = CaptureSource.largestSnapLength
        if snaplen.bytes > largest { throw ValidationError("--snaplen takes at most \(largest) bytes.") }
        if let buffer, buffer.bytes < 1 || buffer.bytes > Int(Int32.max) {
            throw ValidationError("--buffer takes from 1 byte to under 2 GiB.")
        }
    }

    /// Makes the source of a capture.
    func source(interface: String = "", filter: String = "") -> CaptureSource {
        var source = CaptureSource(interface: interface, filter: filter)
        if snaplen.bytes > 0 { source.snapLength = snaplen.bytes }
        source.bufferSize = buffer?.bytes
        source.isImmediate = immediate
        return source
    }
}
