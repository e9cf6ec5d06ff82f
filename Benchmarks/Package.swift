// swift-tools-version: 6.2
import PackageDescription

/// What every Swift target is built with, as in Weir's own package.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

/// The load speaks TLS with its own calls of OpenSSL: libssl-dev, which Weir's trait TLS needs too.
let openSSL: [LinkerSetting] = [.linkedLibrary("ssl"), .linkedLibrary("crypto")]

let package = Package(
    name: "weir-benchmarks",
    products: [.executable(name: "weir-bench", targets: ["weir-bench"])],
    dependencies: [
        .package(name: "weir", path: "..", traits: ["LiveCapture", "Gzip"]),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        .target(name: "CWeirBench", linkerSettings: openSSL),
        .executableTarget(
            name: "weir-bench",
            dependencies: [
                "CWeirBench",
                .product(name: "WeirCapture", package: "weir"),
                .product(name: "WeirWire", package: "weir"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "weir-benchTests",
            dependencies: [
                "weir-bench", .product(name: "WeirWire", package: "weir"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings
        ),
    ]
)
