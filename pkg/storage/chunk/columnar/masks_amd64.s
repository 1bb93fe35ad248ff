#include "textflag.h"

// Bytes that others are compared with, 32 times each.
DATA maskConst<>+0x000(SB)/8, $0x3030303030303030
DATA maskConst<>+0x008(SB)/8, $0x3030303030303030
DATA maskConst<>+0x010(SB)/8, $0x3030303030303030
DATA maskConst<>+0x018(SB)/8, $0x3030303030303030
DATA maskConst<>+0x020(SB)/8, $0x0909090909090909
DATA maskConst<>+0x028(SB)/8, $0x0909090909090909
DATA maskConst<>+0x030(SB)/8, $0x0909090909090909
DATA maskConst<>+0x038(SB)/8, $0x0909090909090909
DATA maskConst<>+0x040(SB)/8, $0x2020202020202020
DATA maskConst<>+0x048(SB)/8, $0x2020202020202020
DATA maskConst<>+0x050(SB)/8, $0x2020202020202020
DATA maskConst<>+0x058(SB)/8, $0x2020202020202020
DATA maskConst<>+0x060(SB)/8, $0x6161616161616161
DATA maskConst<>+0x068(SB)/8, $0x6161616161616161
DATA maskConst<>+0x070(SB)/8, $0x6161616161616161
DATA maskConst<>+0x078(SB)/8, $0x6161616161616161
DATA maskConst<>+0x080(SB)/8, $0x1919191919191919
DATA maskConst<>+0x088(SB)/8, $0x1919191919191919
DATA maskConst<>+0x090(SB)/8, $0x1919191919191919
DATA maskConst<>+0x098(SB)/8, $0x1919191919191919
DATA maskConst<>+0x0a0(SB)/8, $0x0505050505050505
DATA maskConst<>+0x0a8(SB)/8, $0x0505050505050505
DATA maskConst<>+0x0b0(SB)/8, $0x0505050505050505
DATA maskConst<>+0x0b8(SB)/8, $0x0505050505050505
DATA maskConst<>+0x0c0(SB)/8, $0x2222222222222222
DATA maskConst<>+0x0c8(SB)/8, $0x2222222222222222
DATA maskConst<>+0x0d0(SB)/8, $0x2222222222222222
DATA maskConst<>+0x0d8(SB)/8, $0x2222222222222222
DATA maskConst<>+0x0e0(SB)/8, $0x5c5c5c5c5c5c5c5c
DATA maskConst<>+0x0e8(SB)/8, $0x5c5c5c5c5c5c5c5c
DATA maskConst<>+0x0f0(SB)/8, $0x5c5c5c5c5c5c5c5c
DATA maskConst<>+0x0f8(SB)/8, $0x5c5c5c5c5c5c5c5c
DATA maskConst<>+0x100(SB)/8, $0x3d3d3d3d3d3d3d3d
DATA maskConst<>+0x108(SB)/8, $0x3d3d3d3d3d3d3d3d
DATA maskConst<>+0x110(SB)/8, $0x3d3d3d3d3d3d3d3d
DATA maskConst<>+0x118(SB)/8, $0x3d3d3d3d3d3d3d3d
DATA maskConst<>+0x120(SB)/8, $0x5f5f5f5f5f5f5f5f
DATA maskConst<>+0x128(SB)/8, $0x5f5f5f5f5f5f5f5f
DATA maskConst<>+0x130(SB)/8, $0x5f5f5f5f5f5f5f5f
DATA maskConst<>+0x138(SB)/8, $0x5f5f5f5f5f5f5f5f
DATA maskConst<>+0x140(SB)/8, $0x2e2e2e2e2e2e2e2e
DATA maskConst<>+0x148(SB)/8, $0x2e2e2e2e2e2e2e2e
DATA maskConst<>+0x150(SB)/8, $0x2e2e2e2e2e2e2e2e
DATA maskConst<>+0x158(SB)/8, $0x2e2e2e2e2e2e2e2e
DATA maskConst<>+0x160(SB)/8, $0x2d2d2d2d2d2d2d2d
DATA maskConst<>+0x168(SB)/8, $0x2d2d2d2d2d2d2d2d
DATA maskConst<>+0x170(SB)/8, $0x2d2d2d2d2d2d2d2d
DATA maskConst<>+0x178(SB)/8, $0x2d2d2d2d2d2d2d2d
GLOBL maskConst<>(SB), RODATA|NOPTR, $384

// BITS leaves in a the bits of both halves, whose second is in b.
#define BITS(a, b) \
	SHLQ $32, b \
	ORQ  b, a

// CLASSES leaves bits for digits in d, letters in a, letters of hex digits in h, bytes of lower case in c and bytes that are not ASCII in n; text is in Y0.
#define CLASSES(d, a, h, c, n) \
	VPMOVMSKB Y0, n       \
	VPSLLW    $2, Y0, Y1  \
	VPMOVMSKB Y1, c       \
	VPSUBB    Y8, Y0, Y1  \
	VPMINUB   Y9, Y1, Y2  \
	VPCMPEQB  Y1, Y2, Y1  \
	VPMOVMSKB Y1, d       \
	VPOR      Y10, Y0, Y1 \
	VPSUBB    Y11, Y1, Y1 \
	VPMINUB   Y12, Y1, Y2 \
	VPCMPEQB  Y1, Y2, Y2  \
	VPMOVMSKB Y2, a       \
	VPMINUB   Y13, Y1, Y2 \
	VPCMPEQB  Y1, Y2, Y2  \
	VPMOVMSKB Y2, h

// func maskWordsAVX2(dst *wordMasks, text *byte, blocks int)
TEXT ·maskWordsAVX2(SB), NOSPLIT, $0-24
	MOVQ    dst+0(FP), DI
	MOVQ    text+8(FP), SI
	MOVQ    blocks+16(FP), CX
	VMOVDQU maskConst<>+0(SB), Y8
	VMOVDQU maskConst<>+32(SB), Y9
	VMOVDQU maskConst<>+64(SB), Y10
	VMOVDQU maskConst<>+96(SB), Y11
	VMOVDQU maskConst<>+128(SB), Y12
	VMOVDQU maskConst<>+160(SB), Y13

words:
	VMOVDQU (SI), Y0
	CLASSES(AX, BX, DX, R8, R9)
	VMOVDQU 32(SI), Y0
	CLASSES(R10, R11, R12, R13, R15)
	BITS(AX, R10)
	BITS(BX, R11)
	BITS(DX, R12)
	BITS(R8, R13)
	BITS(R9, R15)

	// Digits, and whatever is part of a word.
	MOVQ AX, (DI)
	ORQ  BX, AX
	ORQ  R9, AX
	MOVQ AX, 8(DI)

	// Letters that are no hex digits at all, and those that are some of the other case.
	XORQ DX, BX
	ORQ  R9, BX
	ANDQ DX, R8
	XORQ R8, DX
	ORQ  BX, DX
	ORQ  BX, R8
	MOVQ DX, 16(DI)
	MOVQ R8, 24(DI)
	ADDQ $64, SI
	ADDQ $32, DI
	DECQ CX
	JNZ  words
	VZEROUPPER
	RET

// EQUAL leaves in bits which bytes of Y0 are those of other.
#define EQUAL(other, bits) \
	VPCMPEQB  other, Y0, Y1 \
	VPMOVMSKB Y1, bits

// SPACES leaves in bits which bytes of Y0 are blanks or come before them.
#define SPACES(bits) \
	VPMINUB   Y10, Y0, Y1 \
	VPCMPEQB  Y1, Y0, Y1  \
	VPMOVMSKB Y1, bits

// KEYS leaves in bits which bytes of Y0 are what keys are made of.
#define KEYS(bits) \
	VPSUBB    Y8, Y0, Y1  \
	VPMINUB   Y9, Y1, Y2  \
	VPCMPEQB  Y1, Y2, Y1  \
	VPOR      Y0, Y1, Y3  \
	VPOR      Y10, Y0, Y1 \
	VPSUBB    Y11, Y1, Y1 \
	VPMINUB   Y12, Y1, Y2 \
	VPCMPEQB  Y1, Y2, Y2  \
	VPOR      Y2, Y3, Y3  \
	VPCMPEQB  Y13, Y0, Y1 \
	VPOR      Y1, Y3, Y3  \
	VPCMPEQB  Y14, Y0, Y1 \
	VPOR      Y1, Y3, Y3  \
	VPCMPEQB  Y15, Y0, Y1 \
	VPOR      Y1, Y3, Y3  \
	VPMOVMSKB Y3, bits

// func maskPairsAVX2(dst *pairMasks, text *byte, blocks int)
TEXT ·maskPairsAVX2(SB), NOSPLIT, $0-24
	MOVQ    dst+0(FP), DI
	MOVQ    text+8(FP), SI
	MOVQ    blocks+16(FP), CX
	VMOVDQU maskConst<>+192(SB), Y5
	VMOVDQU maskConst<>+224(SB), Y6
	VMOVDQU maskConst<>+256(SB), Y7
	VMOVDQU maskConst<>+0(SB), Y8
	VMOVDQU maskConst<>+32(SB), Y9
	VMOVDQU maskConst<>+64(SB), Y10
	VMOVDQU maskConst<>+96(SB), Y11
	VMOVDQU maskConst<>+128(SB), Y12
	VMOVDQU maskConst<>+288(SB), Y13
	VMOVDQU maskConst<>+320(SB), Y14
	VMOVDQU maskConst<>+352(SB), Y15

pairs:
	VMOVDQU (SI), Y0
	EQUAL(Y5, AX)
	EQUAL(Y6, BX)
	EQUAL(Y7, DX)
	SPACES(R8)
	KEYS(R9)
	VMOVDQU 32(SI), Y0
	EQUAL(Y5, R10)
	EQUAL(Y6, R11)
	EQUAL(Y7, R12)
	SPACES(R13)
	KEYS(R15)
	BITS(AX, R10)
	BITS(BX, R11)
	BITS(DX, R12)
	BITS(R8, R13)
	BITS(R9, R15)
	MOVQ AX, (DI)
	MOVQ BX, 8(DI)
	MOVQ DX, 16(DI)
	MOVQ R8, 24(DI)
	MOVQ R9, 32(DI)
	ADDQ $64, SI
	ADDQ $40, DI
	DECQ CX
	JNZ  pairs
	VZEROUPPER
	RET
